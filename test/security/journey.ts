/** A walk of one user through every route of the service, as production serves it, with everything that is answered. */

import { v4 as uuid } from 'uuid'
import type { Letter } from '../../src/letter.ts'
import { type Answer, anotherDevice, BOB, Client, cookieValue, setCookies, textOf } from '../app/client.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { type House, letterOf } from '../house.ts'

export interface Step {
  /** As the route declares it, like `DELETE /sessions/:id`. */
  route: string
  answer: Answer
}

export const NEW_GOOD_PASSWORD = 'another long way to go'

/** @returns the answers in order; each of them is a success */
export async function journey(house: House): Promise<Step[]> {
  const { app, auth, settings } = house
  const steps: Step[] = []
  const client = new Client(app)
  const walk = async (route: string, answer: Promise<Answer>) => {
    steps.push({ route, answer: await answer })
    const { statusCode, body } = await answer
    if (statusCode >= 400) throw new Error(`${route} was answered ${statusCode} ${body}`)
  }
  await walk('GET /', client.send('GET', '/'))
  await walk('POST /users', client.send('POST', '/users', { email: BOB, password: GOOD_PASSWORD, name: 'Bob' }))
  await walk('POST /sessions', client.logIn(BOB, GOOD_PASSWORD))
  await walk('GET /profile', client.profile())
  await walk('GET /users/me', client.send('GET', '/users/me'))
  await walk('PATCH /users/me', client.send('PATCH', '/users/me', { name: 'Bobby' }))
  const renewed = { password: NEW_GOOD_PASSWORD, current_password: GOOD_PASSWORD }
  await walk('PATCH /users/me', client.send('PATCH', '/users/me', renewed))
  const phone = await anotherDevice(app, BOB, NEW_GOOD_PASSWORD)
  await walk('GET /sessions', client.send('GET', '/sessions'))
  const [phoneId = ''] = cookieValue(phone.cookie).split('.')
  await walk('DELETE /sessions/:id', client.send('DELETE', `/sessions/${phoneId}`))
  await walk('GET /dashboard', client.send('GET', '/dashboard'))
  await walk('GET /.well-known/jwks.json', client.send('GET', '/.well-known/jwks.json'))
  await walk(
    'GET /.well-known/oauth-authorization-server',
    client.send('GET', '/.well-known/oauth-authorization-server'),
  )
  const program = new Client(app)
  const login = { email: BOB, password: NEW_GOOD_PASSWORD }
  await walk('POST /tokens', program.send('POST', '/tokens', { ...login, transport: 'cookie' }))
  await walk('POST /tokens', program.send('POST', '/tokens', login))
  const refresh_token = textOf(lastOf(steps), 'refresh_token')
  await walk('POST /tokens/refresh', program.send('POST', '/tokens/refresh', { refresh_token }))
  const [token, last] = ['access_token', 'refresh_token'].map((field) => textOf(lastOf(steps), field))
  const bearer = { authorization: `Bearer ${token}` }
  const change = { email: 'bobby@example.org', current_password: NEW_GOOD_PASSWORD }
  const key = { authorization: `Bearer ${settings.operatorKey}` }
  for (const one of [token, last]) {
    await walk('POST /tokens/introspect', program.send('POST', '/tokens/introspect', { token: one ?? '' }, key))
  }
  await walk('PATCH /users/me', program.send('PATCH', '/users/me', change, bearer))
  await walk('PATCH /users/me', client.send('PATCH', '/users/me', { ...change, email: BOB }))
  await walk('POST /tokens/revoke', program.send('POST', '/tokens/revoke', { token: last ?? '' }, key))
  await walk('DELETE /tokens', program.send('DELETE', '/tokens', { refresh_token }))
  await walk('DELETE /sessions', client.send('DELETE', '/sessions?others=true'))
  await walk('DELETE /sessions', client.logOut())
  await walk('POST /reset_password', client.askForReset())
  await walk('PUT /reset_password', client.reset(await auth.getResetPasswordToken(BOB), GOOD_PASSWORD))
  await walk('POST /sessions', client.logIn(BOB, GOOD_PASSWORD))
  await walkThroughMail(house, client, walk)
  await walk('GET /health/live', client.send('GET', '/health/live'))
  await walk('GET /health/ready', client.send('GET', '/health/ready'))
  await walk('DELETE /users/me', client.send('DELETE', '/users/me', { current_password: GOOD_PASSWORD }))
  return steps
}

/** Everything for which a mail must be read, where there is mail; in the end the account is as it was. */
async function walkThroughMail(
  house: House,
  client: Client,
  walk: (route: string, answer: Promise<Answer>) => Promise<void>,
): Promise<void> {
  if (house.settings.mail === 'none') return
  const tokenOf = async (kind: Letter['kind']) => (await letterOf(house, kind)).values.token ?? ''
  const confirm = async (kind: Letter['kind']) => {
    const fields = { verification_token: await tokenOf(kind) }
    await walk('PUT /email_verification', client.send('PUT', '/email_verification', fields))
  }
  // So that the letter that it brings is newer than the one of the registration.
  house.clock.advance(1)
  await walk('POST /email_verification', client.send('POST', '/email_verification', { email: BOB }))
  if ((await house.db.findUserBy({ email: BOB })).emailConfirmedAt === null) await confirm('email_confirmation')
  const change = { email: 'bob@elsewhere.example', current_password: GOOD_PASSWORD }
  await walk('PATCH /users/me', client.send('PATCH', '/users/me', change))
  await confirm('email_change')
  const fields = { undo_token: await tokenOf('email_changed') }
  await walk('POST /undo_email_change', client.send('POST', '/undo_email_change', fields))
  await walk('PUT /reset_password', client.reset(await house.auth.getResetPasswordToken(BOB), GOOD_PASSWORD))
  await walk('POST /sessions', client.logIn(BOB, GOOD_PASSWORD))
}

function lastOf(steps: readonly Step[]): Answer {
  const last = steps.at(-1)
  if (last === undefined) throw new Error('no step was taken')
  return last.answer
}

/** @returns a path that reaches the route */
export function pathOf(url: string): string {
  return url.replaceAll(/:\w+/g, () => uuid())
}

/** @returns every line by which these answers set or clear a cookie */
export function cookieLines(steps: readonly Step[]): string[] {
  return steps.flatMap(({ answer }) => setCookies(answer))
}
