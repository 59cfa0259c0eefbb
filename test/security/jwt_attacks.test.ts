/** What people try with a JWT. Every forgery is refused in the same words, at once, and nobody is asked about it. */

import { createHmac, createPublicKey } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { ALICE, BOB, bodyOf, Client } from '../app/client.ts'
import { Program } from '../app/program.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { type House, openHouse, PRODUCTION } from '../house.ts'
import { decoded, encoded, type Forge, forgeOf, signed } from './forge.ts'

type Attack = (forge: Forge) => string | Promise<string>

let house: House
let bob: Program
let forge: Forge

beforeAll(async () => {
  house = await openHouse(PRODUCTION)
  await new Client(house.app).register(BOB, GOOD_PASSWORD)
  bob = new Program(house)
  await bob.logIn(BOB, GOOD_PASSWORD)
  forge = await forgeOf(house, bob.accessToken)
  // What was found good is remembered, and no forgery may profit from that.
  expect((await bob.profile()).statusCode).toBe(200)
  return house.close
})

/** The token with one bit of one of its parts the other way round. */
function flipped({ token }: Forge, part: number): string {
  const parts = token.split('.')
  const bytes = Buffer.from(parts[part] ?? '', 'base64url')
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1
  parts[part] = bytes.toString('base64url')
  return parts.join('.')
}

/** Signed with a secret that everybody knows: the public key, in one of its forms. */
function confused({ header, payload, ours }: Forge, alg: string, secret: string | Buffer): string {
  const input = `${encoded({ ...header, alg })}.${encoded(payload)}`
  expect(ours.asymmetricKeyType).toBe('ec')
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`
}

const pem = ({ ours }: Forge) => createPublicKey(ours).export({ type: 'spki', format: 'pem' }).toString()
const der = ({ ours }: Forge) => createPublicKey(ours).export({ type: 'spki', format: 'der' })
const publicJwk = ({ ours }: Forge) => JSON.stringify(createPublicKey(ours).export({ format: 'jwk' }))

/** The service's own key signs a header or payload that the service would not write. */
const header =
  (changes: object): Attack =>
  (f) =>
    signed({ ...f.header, ...changes }, f.payload, f.ours)
const payload =
  (changes: object): Attack =>
  (f) =>
    signed(f.header, { ...f.payload, ...changes }, f.ours)
/** Somebody's own key signs, and the header says where to find it. */
const foreign =
  (changes: (f: Forge) => object): Attack =>
  (f) =>
    signed({ ...f.header, ...changes(f) }, f.payload, f.theirs)
const raw =
  (text: (f: Forge) => string): Attack =>
  (f) =>
    signed(f.header, text(f), f.ours)

const seconds = () => Math.floor(house.clock.now() / 1_000)

const ATTACKS: [string, Attack][] = [
  ['T-01: a bit of the header', (f) => flipped(f, 0)],
  ['T-01: a bit of the payload', (f) => flipped(f, 1)],
  ['T-01: a bit of the signature', (f) => flipped(f, 2)],
  ['T-01: no signature, with its dot', ({ token }) => token.slice(0, token.lastIndexOf('.') + 1)],
  ['T-01: no signature', ({ token }) => token.slice(0, token.lastIndexOf('.'))],
  [
    'T-01: the signature of another token',
    async (f) => {
      const { accessToken } = await house.auth.tokens.issue(await house.db.findSessionBy({ id: bob.sessionId }))
      return `${f.token.slice(0, f.token.lastIndexOf('.'))}${accessToken.slice(accessToken.lastIndexOf('.'))}`
    },
  ],
  [
    'T-01: a signature of zeros',
    ({ token }) => `${token.slice(0, token.lastIndexOf('.'))}.${encoded(Buffer.alloc(64).toString())}`,
  ],
  ['T-01: a key made at home', foreign(() => ({}))],
  ['T-02: alg none', ({ payload: claims }) => `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded(claims)}.`],
  [
    'T-02: alg none with the name of our key',
    ({ header: head, payload: claims }) => `${encoded({ ...head, alg: 'none' })}.${encoded(claims)}.`,
  ],
  ['T-02: alg NONE with a signature', header({ alg: 'NONE' })],
  ['T-02: alg nOnE with a signature', header({ alg: 'nOnE' })],
  ['T-02: an empty alg', header({ alg: '' })],
  ['T-02: no alg', header({ alg: undefined })],
  ['T-02: an alg that is a list', header({ alg: ['ES256'] })],
  ['T-02: HS256 with our public key as PEM', (f) => confused(f, 'HS256', pem(f))],
  ['T-02: HS256 with our public key as DER', (f) => confused(f, 'HS256', der(f))],
  ['T-02: HS256 with our public key as JWK', (f) => confused(f, 'HS256', publicJwk(f))],
  ['T-02: HS384 with our public key', (f) => confused(f, 'HS384', pem(f))],
  ['T-02: HS512 with our public key', (f) => confused(f, 'HS512', pem(f))],
  ['T-02: HS256 with an empty secret', (f) => confused(f, 'HS256', '')],
  ['T-02: ES384 over our key', header({ alg: 'ES384' })],
  ['T-02: RS256 over our key', header({ alg: 'RS256' })],
  ['T-02: EdDSA over our key', header({ alg: 'EdDSA' })],
  ['T-04: their key in jwk', foreign(({ theirJwk }) => ({ jwk: theirJwk }))],
  ['T-04: their key in jwk, without a kid', foreign(({ theirJwk }) => ({ jwk: theirJwk, kid: undefined }))],
  ['T-04: jku', foreign(() => ({ jku: 'https://evil.test/jwks.json' }))],
  ['T-04: jku with a kid of theirs', foreign(() => ({ jku: 'https://evil.test/jwks.json', kid: 'theirs' }))],
  ['T-04: x5u', foreign(() => ({ x5u: 'https://evil.test/cert.pem' }))],
  ['T-04: x5c', foreign(() => ({ x5c: ['MIIB'] }))],
  ['T-04: a kid that is unknown', header({ kid: 'unknown' })],
  ['T-04: a kid that is a path', header({ kid: '../../../../dev/null' })],
  ['T-04: a kid that is SQL', header({ kid: "' OR 1=1; DROP TABLE signing_keys; --" })],
  ['T-04: a kid that is a command', header({ kid: '| touch /tmp/x' })],
  ['T-04: a kid that is a property', header({ kid: '__proto__' })],
  ['T-04: a kid that is a number', header({ kid: 1 })],
  ['T-04: a kid that is a list', (f) => signed({ ...f.header, kid: [f.header.kid] }, f.payload, f.ours)],
  ['T-04: no kid', header({ kid: undefined })],
  ['T-06: expired', payload({ exp: 1_000_000_000 })],
  ['T-06: no exp', payload({ exp: undefined })],
  ['T-06: exp as text', payload({ exp: '9999999999' })],
  ['T-06: exp null', payload({ exp: null })],
  [
    'T-06: exp beyond all numbers',
    raw(({ payload: claims }) => JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')),
  ],
  ['T-06: nbf to come', (f) => payload({ nbf: seconds() + 60 })(f)],
  ['T-06: nbf as text', payload({ nbf: '0' })],
  ['T-06: no iat', payload({ iat: undefined })],
  ['T-07: typ JWT', header({ typ: 'JWT' })],
  ['T-07: typ of a logout token', header({ typ: 'logout+jwt' })],
  ['T-07: no typ', header({ typ: undefined })],
  ['T-08: another aud', payload({ aud: 'https://shop.example.org' })],
  ['T-08: an aud list without us', payload({ aud: ['https://shop.example.org', 'https://mail.example.org'] })],
  ['T-08: no aud', payload({ aud: undefined })],
  ['T-08: an aud that begins like ours', payload({ aud: 'https://auth.example.org.evil.test' })],
  ['T-09: another iss', payload({ iss: 'https://evil.test' })],
  ['T-09: our iss with a slash', payload({ iss: 'https://auth.example.org/' })],
  ['T-09: no iss', payload({ iss: undefined })],
  ['T-09: another user in the session', payload({ sub: '2' })],
  ['T-09: sub as a number', payload({ sub: 1 })],
  ['T-09: sub as an address', payload({ sub: BOB })],
  ['T-10: a session that nobody has', payload({ sid: '3f0c1d52-9b1e-4c5a-8d0e-6a7b8c9d0e1f' })],
  ['T-10: no session', payload({ sid: undefined })],
  ['T-11: no jti', payload({ jti: undefined })],
  ['T-26: empty', () => ''],
  ['T-26: dots alone', () => '..'],
  ['T-26: two parts', ({ token }) => token.split('.').slice(0, 2).join('.')],
  ['T-26: four parts', ({ token }) => `${token}.${token.slice(0, 4)}`],
  ['T-26: five parts, as encrypted ones have', ({ token }) => `${token}.a.b`],
  ['T-26: twelve kilobytes', ({ token }) => token + 'A'.repeat(12_000)],
  ['T-26: a payload of ten kilobytes that is ours', payload({ extra: 'a'.repeat(10_000) })],
  ['T-26: a header that is no base64url', ({ token }) => `*${token}`],
  ['T-26: base64 with padding', ({ token }) => `${token}=`],
  ['T-26: white space inside', ({ token }) => token.replace('.', ' .')],
  ['T-26: a header that is no JSON', ({ token }) => `${encoded('{"alg"')}${token.slice(token.indexOf('.'))}`],
  ['T-26: a header that is null', ({ token }) => `${encoded('null')}${token.slice(token.indexOf('.'))}`],
  [
    'T-26: a header that is not UTF-8',
    ({ payload: claims, header: head, ours }) => {
      const bytes = Buffer.concat([
        Buffer.from(JSON.stringify(head).slice(0, -1)),
        Buffer.from(',"x":"\xff"}', 'latin1'),
      ])
      return signed(bytes, claims, ours)
    },
  ],
  ['T-26: a claim twice', raw(({ payload: claims }) => JSON.stringify(claims).replace('{', '{"sub":"2",'))],
  [
    'T-26: a claim twice, the good one first',
    raw(({ payload: claims }) => JSON.stringify(claims).replace('}', `,"sub":${JSON.stringify(claims.sub)}}`)),
  ],
  ['T-26: a payload with white space', raw(({ payload: claims }) => JSON.stringify(claims, null, 1))],
  ['T-26: a payload that is a list', raw(() => '[]')],
  ['T-26: a payload that is no JSON', raw(() => 'sub=1')],
  ['T-26: a header that must be understood and is not', header({ crit: ['exp'], exp: 1 })],
  ['T-26: a payload that is not encoded', header({ crit: ['b64'], b64: false })],
]

test.each(ATTACKS)('%s', async (_, attack) => {
  const asked: unknown[] = []
  const listen = (message: unknown) => void asked.push(message)
  const channels = ['net.client.socket', 'http.client.request.start', 'undici:request:create']
  for (const channel of channels) subscribe(channel, listen)
  const authorization = `Bearer ${await attack(forge)}`
  const times: number[] = []
  for (let time = 0; time < 3; time += 1) {
    const start = performance.now()
    const answer = await house.app.inject({ url: '/profile', headers: { authorization } })
    times.push(performance.now() - start)
    expect([answer.statusCode, bodyOf(answer)]).toEqual([
      401,
      { message: 'this access token is not valid', code: 'token_invalid' },
    ])
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
  }
  expect(Math.min(...times)).toBeLessThan(50)
  for (const channel of channels) unsubscribe(channel, listen)
  expect(asked).toEqual([])
})

test('what the forge makes of the right parts is good, so that each forgery fails for its own fault', async () => {
  const jose = await new SignJWT({ ...forge.payload })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: String(forge.header.kid) })
    .sign(forge.ours)
  for (const token of [signed(forge.header, forge.payload, forge.ours), jose, bob.accessToken]) {
    const answer = await house.app.inject({ url: '/profile', headers: { authorization: `Bearer ${token}` } })
    expect([answer.statusCode, answer.json()]).toEqual([200, { email: BOB }])
  }
})

test('T-26: a megabyte is refused before anybody reads it', async () => {
  const start = performance.now()
  const answer = await house.app.inject({
    url: '/profile',
    headers: { authorization: `Bearer ${'a'.repeat(2 ** 20)}` },
  })
  expect(answer.statusCode).toBe(401)
  expect(performance.now() - start).toBeLessThan(50)
})

test('T-09: an address that goes to somebody else takes no token with it', async () => {
  const alice = new Program(house)
  await new Client(house.app).register(ALICE, GOOD_PASSWORD)
  await alice.logIn(ALICE, GOOD_PASSWORD)
  const { sub } = decoded(alice.accessToken.split('.')[1])
  const renamed = { email: 'alice@elsewhere.example', current_password: GOOD_PASSWORD }
  await alice.copy().send('PATCH', '/users/me', renamed)
  await new Client(house.app).register(ALICE, 'quite another long way')
  const other = new Program(house)
  await other.logIn(ALICE, 'quite another long way')
  expect(decoded(other.accessToken.split('.')[1]).sub).not.toBe(sub)
  expect((await alice.profile()).statusCode).toBe(401)
})

test('T-09: a token of a deleted account is refused', async () => {
  const email = 'carol@example.org'
  await new Client(house.app).register(email, GOOD_PASSWORD)
  const carol = new Program(house)
  await carol.logIn(email, GOOD_PASSWORD)
  expect((await carol.profile()).statusCode).toBe(200)
  expect((await carol.send('DELETE', '/users/me', { current_password: GOOD_PASSWORD })).statusCode).toBe(200)
  expect((await carol.profile()).statusCode).toBe(401)
})
