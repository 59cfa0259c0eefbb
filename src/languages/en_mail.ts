/** The texts of the mails in English. `{lasts}` is a time like `60 minutes`. */

import type { LetterKind } from '../letter.ts'

const kinds = {
  'mail.password_reset.subject': 'Choose a new password for {service}',
  'mail.password_reset.text': 'Somebody, probably you, asked for a new password for the account with this address.',
  'mail.email_confirmation.subject': 'Confirm your address for {service}',
  'mail.email_confirmation.text':
    'This address was given for an account at {service}. Please confirm that it is yours.',
  'mail.email_change.subject': 'Confirm your new address for {service}',
  'mail.email_change.text':
    'An account at {service} is to have this address. Please confirm that it is yours; until then the account keeps its former one.',
  'mail.account_exists.subject': 'You already have an account at {service}',
  'mail.account_exists.text':
    'Somebody, perhaps you, wanted to use this address for an account at {service}. It has one already, and nothing was changed. Log in with it, or choose a new password if you forgot it.',
  'mail.password_changed.subject': 'Your password for {service} was changed',
  'mail.password_changed.text':
    'The password of your account at {service} was changed, and every other device was signed out.',
  'mail.email_changed.subject': 'The address of your account at {service} was changed',
  'mail.email_changed.text': 'Your account at {service} now has the address {email}.',
  'mail.new_device.subject': 'New device at {service}',
  'mail.new_device.text':
    'Somebody logged in to your account at {service} on a device that is not known, or no longer since the password was changed.',
  'mail.failed_logins.subject': 'Wrong passwords for your account at {service}',
  'mail.failed_logins.text':
    'A wrong password was given for your account at {service} {count} times in a row. Nobody got in, and strangers now have to wait between tries. The last one:',
  'mail.login_after_failures.subject': 'Login to {service} after many wrong passwords',
  'mail.login_after_failures.text':
    'Somebody logged in to your account at {service} after a wrong password had been given {count} times or more.',
  'mail.token_reused.subject': 'A program was signed out of {service}',
  'mail.token_reused.text':
    'A program that is signed in to your account at {service} presented a token that had been used before, so its login was ended. Two tabs or a lost answer can be the reason; a stolen token can be as well.',
  'mail.account_deleted.subject': 'Your account at {service} was deleted',
  'mail.account_deleted.text': 'Your account at {service} was deleted with everything in it. Nobody can bring it back.',
  'mail.test.subject': 'Test message from {service}',
  'mail.test.text': 'This message was sent to see whether mail from {service} arrives. It does.',
} satisfies Record<`mail.${LetterKind}.${'subject' | 'text'}`, string>

export const enMail = {
  ...kinds,
  'mail.link.reset': 'Choose a new password',
  'mail.link.confirm': 'Confirm this address',
  'mail.link.login': 'Log in',
  'mail.link.undo': 'Take this back',
  'mail.code': 'Or type this code where you asked for it, within {lasts}:',
  'mail.lasts': 'The link works once, and for {lasts}.',
  'mail.not_asked': 'If you did not ask for this, you need not do anything.',
  'mail.not_registered':
    'If you did not ask for this, do not open the link: whoever did would get an account in your name. You need not do anything.',
  'mail.not_you.password': 'If this was not you, choose a new password now. It signs out every device.',
  'mail.not_you.undo':
    'If this was not you, take it back: your account gets this address again, every device is signed out, and you choose a new password. The link works for {lasts}.',
  'mail.not_you.address': 'If this was not you, tell whoever runs {service}.',
  'mail.not_you.deleted':
    'If this was not you, somebody knew your password. Change it wherever else you use it, and tell whoever runs {service}.',
  'mail.not_you.guessing':
    'If this was not you, somebody is guessing. You need not do anything as long as your password is long and used nowhere else.',
  'mail.when': 'When',
  'mail.from': 'From',
  'mail.device': 'Device',
  'mail.end': 'Sent by {service}, {url}. Nobody reads answers to this message.',
}
