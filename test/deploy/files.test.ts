/** The files that an operator copies: they name what there is, and no secret that anybody could use. */

import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { BODY_LIMIT } from '../../src/app/bodies.ts'
import { readSettings } from '../../src/settings.ts'
import { PRODUCTION } from '../house.ts'
import { pathOf } from '../started.ts'

function read(name: string): string {
  return readFileSync(pathOf(`deploy/${name}`), 'utf8')
}

const sample = read('bienvenue.env')

test('the sample of settings starts nothing until a secret is filled in', () => {
  expect(() => readSettings({}, sample)).toThrow('SECRET is missing')
  const settings = readSettings({ SECRET: PRODUCTION.SECRET }, sample)
  expect(settings).toMatchObject({ production: true, trustProxy: ['127.0.0.1'], publicUrl: 'https://auth.example.org' })
})

test('what stands in the sample as a comment are settings too', () => {
  const commented = sample.replaceAll(/^#(?=[A-Z_]+=)/gm, '')
  expect(Object.keys(parseEnv(commented))).toContain('SMTP_URL')
  expect(readSettings({ SECRET: PRODUCTION.SECRET }, commented)).toMatchObject({ mail: 'smtp' })
})

test('nginx takes as large a body as the service, and asks the ports that the unit is enabled for', () => {
  expect(read('nginx.conf')).toContain(`client_max_body_size ${BODY_LIMIT / 1024}k;`)
  const ports = [...read('nginx.conf').matchAll(/server 127\.0\.0\.1:(\d+)/g)].map(([, port]) => port)
  expect(ports).toEqual(['5001', '5002'])
  const enabled = `systemctl enable --now ${ports.map((port) => `bienvenue@${port}`).join(' ')}`
  expect(read('bienvenue@.service')).toContain(enabled)
  expect(read('README.md')).toContain(enabled)
})
