/**
 * The texts of the pages in English; every other language has the same keys. `{service}` is the name of the service and may
 * stand in any text; what else stands in braces is filled in where the text is used.
 */

import type { ErrorCode } from '../errors.ts'
import type { AuthEventType } from '../feature.ts'
import { enMail } from './en_mail.ts'

const pages = {
  'layout.account': 'Your account',
  'layout.log_in': 'Log in',
  'layout.log_out': 'Log out',
  'layout.terms': 'Terms of use',
  'layout.failed': 'Not done yet',

  'form.email': 'Email address',
  'form.password': 'Password',
  'form.new_password': 'New password',
  'form.new_password_hint': 'At least {count} characters. A few words that nobody would put together make a good one.',
  'form.new_password_free_hint': 'A few words that nobody would put together make a good one.',
  'form.current_password': 'Current password',
  'form.name': 'Name',
  'form.name_optional': 'Name (optional)',
  'form.reset_token': 'Code or token',
  'form.verification_token': 'Token',
  'form.link_hint': 'It is in the link of the mail, behind #t=.',

  'script.show': 'Show',
  'script.hide': 'Hide',
  'script.show_password': 'Show the password',
  'script.hide_password': 'Hide the password',
  'script.caps_lock': 'Caps Lock is on.',

  'home.title': 'Welcome to {service}',
  'home.text': 'One account, one password. Log in, or register if you are new here.',
  'home.log_in': 'Log in',
  'home.register': 'Register',
  'home.signed_in': 'You are signed in as {email}.',
  'home.account': 'Go to your account',

  'login.title': 'Log in',
  'login.submit': 'Log in',
  'login.forgot': 'Forgot your password?',
  'login.new': 'New here?',
  'login.register': 'Register',
  'login.confirm': 'No mail to confirm your address?',
  'login.unconfirmed':
    'The address or the password is wrong, or the address is not confirmed yet. If it waits for that, open the link in the mail to it, or ask for another one below.',

  'register.title': 'Register',
  'register.submit': 'Register',
  'register.known': 'Already registered?',
  'register.log_in': 'Log in',
  'register.terms': 'By registering you agree to the terms of use.',

  'forgot.title': 'Forgot your password?',
  'forgot.text': 'Give the address of your account. You then get a mail with which you choose a new password.',
  'forgot.submit': 'Send the mail',
  'forgot.back': 'Back to the login',

  'reset.title': 'Choose a new password',
  'reset.text': 'You will be signed out everywhere, and log in with the new password.',
  'reset.token_hint': 'It is in the mail: eight digits, good for ten minutes in this browser. Or open the link there.',
  'reset.submit': 'Set the new password',
  'reset.again': 'Ask for another mail',

  'confirm.title': 'Confirm your address',
  'confirm.text': 'This tells {service} that the address is yours.',
  'confirm.submit': 'Confirm',
  'confirm.again': 'The link does not work, or there was no mail?',
  'confirm.again_submit': 'Send another mail',

  'undo.title': 'Take back the change of address',
  'undo.text':
    'Your account gets the address back to which the mail went, every device is signed out, and the password is good for nothing. You then choose a new one.',
  'undo.submit': 'Take it back',

  'outbox.title': 'Outbox',
  'outbox.text':
    'In development no mail leaves this machine. What would be sent is shown here and written into a folder.',
  'outbox.none': 'Nothing yet. Register, or ask for a new password.',
  'outbox.to': 'to {to}',

  'account.title': 'Your account',
  'account.signed_in': 'You are signed in as',
  'account.name': 'Name',
  'account.no_name': 'none',
  'account.since': 'Registered',
  'account.change_name': 'Change your name',
  'account.change_email': 'Change your address',
  'account.new_email': 'New email address',
  'account.change_password': 'Change your password',
  'account.change_password_text': 'All your other devices will be signed out.',
  'account.save': 'Save',
  'account.change_email_text':
    'You get a mail at the new address. It is yours here when you have opened the link in it.',
  'account.unconfirmed': 'This address is not confirmed yet: open the link in the mail that was sent to it.',
  'account.confirm_again': 'Send the mail again',

  'devices.title': 'Your devices',
  'devices.this': 'This device',
  'devices.used': 'Used {when}, from {address}',
  'devices.end': 'Sign out',
  'devices.end_named': 'Sign out {device}',
  'devices.end_others': 'Sign out everywhere else',
  'devices.only': 'You are signed in nowhere else.',
  'devices.both': '{browser} on {system}',
  'devices.unknown': 'Unknown device',
  'devices.now': 'just now',

  'activity.title': 'Recent activity',
  'activity.text': 'If there is something that you did not do, change your password.',
  'activity.none': 'Nothing yet.',
  'activity.from': '{device}, {address}',

  'delete.title': 'Delete your account',
  'delete.open': 'I want to delete my account',
  'delete.text':
    'Your account, your name and address and all your sessions will be gone at once. Nobody can bring them back.',
  'delete.submit': 'Delete my account for good',

  'refusal.403.title': 'This is not allowed',
  'refusal.403.next': 'Go back to the start and try again from there.',
  'refusal.404.title': 'There is nothing here',
  'refusal.404.next': 'Check the address, or go to the start.',
  'refusal.405.title': 'This page cannot be opened like that',
  'refusal.405.next': 'It is reached through a form only. Go to the start and take the way from there.',
  'refusal.429.title': 'Too many tries',
  'refusal.429.next': 'Nothing is lost. Wait for a while, then try again.',
  'refusal.500.title': 'Something went wrong here',
  'refusal.500.next':
    'The fault is ours and has been written down. Try again; if it stays, tell whoever runs {service}.',
  'refusal.503.title': 'Not at this moment',
  'refusal.503.next': 'Nothing is lost. Try again in a few seconds.',
  'refusal.other.title': 'This could not be done',
  'refusal.other.next': 'Go to the start and try again from there.',
  'refusal.home': 'Go to the start',
}

const notices = {
  'notice.registered': 'Your account is ready. Log in to use it.',
  'notice.registered_mail': 'Your account is ready. Log in to use it; a mail to your address asks you to confirm it.',
  'notice.registered_confirm':
    'Now look at your mail: open the link there, then log in. If nothing comes in a few minutes, look among the unwanted mail.',
  'notice.confirmation_requested':
    'If this address waits to be confirmed, a mail goes to it. If nothing comes in a few minutes, look among the unwanted mail.',
  'notice.email_confirmed': 'Your address is confirmed.',
  'notice.email_change_requested':
    'Almost done: open the link in the mail that goes to the new address. Until then the former one stays.',
  'notice.email_restored': 'Your former address is back and every device is signed out. Now choose a new password.',
  'notice.logged_out': 'You are logged out.',
  'notice.login_required': 'Log in to see this page.',
  'notice.session_ended': 'Your session has ended. Log in again to go on where you were.',
  'notice.password_updated': 'Your password is new and every device is signed out. Log in with it.',
  'notice.reset_requested':
    'If this address has an account, a mail goes to it: open its link, or type its code here. If nothing comes in a few minutes, check the address and the unwanted mail, or ask whoever runs {service}: mail may not be set up.',
  'notice.reset_elsewhere': 'A token was made, but it is only shown to a browser on the machine of the service itself.',
  'notice.name_changed': 'Your name is changed.',
  'notice.email_changed': 'Your address is changed. You log in with the new one from now on.',
  'notice.password_changed': 'Your password is changed and your other devices are signed out.',
  'notice.device_signed_out': 'That device is signed out.',
  'notice.others_signed_out': 'You are signed out everywhere else.',
  'notice.account_deleted': 'Your account is deleted. Goodbye.',
}

const errors = {
  'error.field_missing': 'Please fill in this field.',
  'error.field_invalid': 'This cannot be used: it is too long, or holds characters that cannot be shown.',
  'error.email_invalid': 'This is not an email address. One looks like bob@example.org.',
  'error.email_taken': 'This address is registered already. Log in with it, or choose a new password if you forgot it.',
  'error.email_unknown': 'No account has this address. Check its spelling, or register it.',
  'error.password_too_short': 'This password is too short: it needs at least {count} characters.',
  'error.password_too_long': 'This password is too long.',
  'error.password_common': 'This password is one of the most common ones, which are tried first. Choose another one.',
  'error.password_context': 'This password is made of your address or the name of this service. Choose another one.',
  'error.password_invalid': 'This password holds characters that cannot be read. Choose another one.',
  'error.credentials_invalid': 'The address or the password is wrong. Check both and try again.',
  'error.email_unconfirmed':
    'This address is not confirmed yet. Open the link in the mail that was sent to it, or ask for another one below.',
  'error.verification_refused':
    'This link does not work any more: it was used, is too old, or there is a newer one. Ask for another mail.',
  'error.session_required': 'Your session has ended. Log in again.',
  'error.token_invalid': 'This token does not work, or no longer.',
  'error.refresh_refused': 'This refresh token does not work, or no longer. Log in again.',
  'error.refresh_token_reused': 'This refresh token was used before, so its session has ended. Log in again.',
  'error.operator_required': 'Only the operator of this service may do this.',
  'error.current_password_wrong': 'This is not your current password.',
  'error.fresh_password_required': 'It has been a while: give your current password once more.',
  'error.throttled': 'There were too many tries. Wait {wait} before the next one.',
  'error.reset_refused':
    'This token does not work for this address: it is used, too old, or another one. Ask for a new one.',
  'error.cross_origin': 'This request came from a page of another site, so nothing was done.',
  'error.host_refused': 'The service is not reached under this name.',
  'error.body_invalid': 'What was sent cannot be read.',
  'error.body_too_large': 'What was sent is too large.',
  'error.content_type_unsupported': 'What was sent is of a kind that is not read here.',
  'error.request_invalid': 'The request cannot be read.',
  'error.not_found': 'No page has this address.',
  'error.method_not_allowed': 'This address does not serve this kind of request.',
  'error.busy': 'Very many people are logging in at this moment. Try again in a few seconds.',
  'error.store_unavailable': 'The service cannot reach its data at this moment. Try again in a few seconds.',
  'error.internal': 'Your request could not be answered.',
} satisfies Record<`error.${ErrorCode}`, string>

const events = {
  'event.user_registered': 'Account registered',
  'event.registration_refused': 'Somebody wanted to register this address again',
  'event.login_succeeded': 'Logged in',
  'event.login_failed': 'Login refused: wrong password',
  'event.logged_out': 'Logged out',
  'event.session_ended': 'A device was signed out',
  'event.sessions_ended': 'All other devices were signed out',
  'event.password_confirmed': 'Current password given',
  'event.password_refused': 'Wrong current password given',
  'event.password_changed': 'Password changed',
  'event.password_disabled': 'Password disabled by the operator',
  'event.email_changed': 'Address changed',
  'event.email_change_requested': 'New address asked for',
  'event.email_change_undone': 'Change of address taken back',
  'event.email_confirmation_requested': 'Mail to confirm the address asked for',
  'event.email_confirmed': 'Address confirmed',
  'event.name_changed': 'Name changed',
  'event.password_reset_requested': 'New password asked for',
  'event.password_reset': 'Password set anew with a token',
  'event.password_reset_refused': 'A token for a new password was refused',
  'event.user_deleted': 'Account deleted',
  'event.refresh_token_reused': 'A program was signed out: somebody used its old token',
  'event.signing_key_added': 'New key for tokens',
  'event.throttled': 'Too many tries',
  'event.request_refused': 'A request was refused',
} satisfies Record<`event.${AuthEventType}`, string>

export const en = { ...pages, ...notices, ...errors, ...events, ...enMail }

export type TextKey = keyof typeof en
export type Texts = Readonly<Record<TextKey, string>>
export type Notice = keyof typeof notices extends `notice.${infer N}` ? N : never
