import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deviceName } from '../src/device_name.ts'

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const IPAD = 'Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64)'
const PHONE = 'Mozilla/5.0 (Linux; Android 10; K)'

test.each([
  ['Firefox on Windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Firefox on Linux', 'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Firefox on Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Firefox on Android', 'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0'],
  ['Firefox on iPhone', `${IPHONE} FxiOS/140.0 Mobile/15E148 Safari/605.1.15`],
  ['Chrome on Windows', `${WINDOWS} ${WEBKIT} Chrome/138.0.0.0 Safari/537.36`],
  ['Chrome on Mac', `${MAC} ${WEBKIT} Chrome/138.0.0.0 Safari/537.36`],
  ['Chrome on Linux', `${LINUX} ${WEBKIT} Chrome/138.0.0.0 Safari/537.36`],
  ['Chrome on Android', `${PHONE} ${WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36`],
  ['Chrome on iPhone', `${IPHONE} CriOS/138.0.7204.119 Mobile/15E148 Safari/604.1`],
  ['Chrome on iPad', `${IPAD} CriOS/138.0.7204.119 Mobile/15E148 Safari/604.1`],
  ['Chrome on ChromeOS', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/138.0.0.0 Safari/537.36`],
  ['Chrome on Linux', `${LINUX} ${WEBKIT} HeadlessChrome/138.0.0.0 Safari/537.36`],
  ['Safari on Mac', `${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15`],
  ['Safari on iPhone', `${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`],
  ['Safari on iPad', `${IPAD} Version/17.7 Mobile/15E148 Safari/604.1`],
  ['Edge on Windows', `${WINDOWS} ${WEBKIT} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0`],
  ['Edge on Android', `${PHONE} ${WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/138.0.0.0`],
  ['Edge on iPhone', `${IPHONE} Version/18.0 EdgiOS/138.0.3351.65 Mobile/15E148 Safari/605.1.15`],
  ['Opera on Linux', `${LINUX} ${WEBKIT} Chrome/136.0.0.0 Safari/537.36 OPR/120.0.0.0`],
  ['Opera on Android', `${PHONE} ${WEBKIT} Chrome/137.0.0.0 Mobile Safari/537.36 OPR/90.0.0.0`],
  ['Samsung Internet on Android', `${PHONE} ${WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`],
  ['curl', 'curl/8.14.1'],
  ['Python', 'python-requests/2.32.4'],
  ['Android', 'Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/AP3A.241105.008)'],
  ['iPhone', `${IPHONE} Mobile/15E148`],
  ['unknown device', 'Wget/1.25.0'],
  ['unknown device', 'my curl/1.0'],
  ['unknown device', ''],
])('%s is what %j says', (name, userAgent) => {
  expect(deviceName(userAgent)).toBe(name)
})

test('no user agent gets a word of its own into the list', () => {
  const part = '(?:[A-Z][a-zA-Z]+|Samsung Internet|iPhone|iPad|curl)'
  const known = new RegExp(`^(?:unknown device|${part}|${part} on ${part})$`)
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 256 }),
      fc.constantFrom('', 'Firefox/1 ', 'Linux '),
      (text, word) => {
        const name = deviceName(word + text)
        expect(name).toMatch(known)
        expect(deviceName('Firefox/1 Linux')).toBe('Firefox on Linux')
      },
    ),
  )
})
