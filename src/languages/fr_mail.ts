/** The texts of the mails in French. */

import type { enMail } from './en_mail.ts'

export const frMail: Record<keyof typeof enMail, string> = {
  'mail.password_reset.subject': 'Choisir un nouveau mot de passe pour {service}',
  'mail.password_reset.text':
    'Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour le compte qui a cette adresse.',
  'mail.email_confirmation.subject': 'Confirmez votre adresse pour {service}',
  'mail.email_confirmation.text':
    'Cette adresse a été donnée pour un compte chez {service}. Veuillez confirmer que c’est la vôtre.',
  'mail.email_change.subject': 'Confirmez votre nouvelle adresse pour {service}',
  'mail.email_change.text':
    'Un compte chez {service} doit recevoir cette adresse. Veuillez confirmer que c’est la vôtre ; jusque-là, le compte garde la précédente.',
  'mail.account_exists.subject': 'Vous avez déjà un compte chez {service}',
  'mail.account_exists.text':
    'Quelqu’un, peut-être vous, a voulu utiliser cette adresse pour un compte chez {service}. Elle en a déjà un, et rien n’a changé. Connectez-vous, ou choisissez un nouveau mot de passe si vous l’avez oublié.',
  'mail.password_changed.subject': 'Votre mot de passe pour {service} a été changé',
  'mail.password_changed.text':
    'Le mot de passe de votre compte chez {service} a été changé, et tous les autres appareils ont été déconnectés.',
  'mail.email_changed.subject': 'L’adresse de votre compte chez {service} a été changée',
  'mail.email_changed.text': 'Votre compte chez {service} a désormais l’adresse {email}.',
  'mail.new_device.subject': 'Nouvel appareil chez {service}',
  'mail.new_device.text':
    'Quelqu’un s’est connecté à votre compte chez {service} sur un appareil qui n’est pas connu, ou ne l’est plus depuis le changement du mot de passe.',
  'mail.failed_logins.subject': 'Mots de passe erronés pour votre compte chez {service}',
  'mail.failed_logins.text':
    'Un mot de passe erroné a été donné {count} fois de suite pour votre compte chez {service}. Personne n’est entré, et les inconnus doivent désormais attendre entre deux essais. Le dernier :',
  'mail.login_after_failures.subject': 'Connexion à {service} après plusieurs mots de passe erronés',
  'mail.login_after_failures.text':
    'Quelqu’un s’est connecté à votre compte chez {service} après au moins {count} mots de passe erronés.',
  'mail.token_reused.subject': 'Un programme a été déconnecté de {service}',
  'mail.token_reused.text':
    'Un programme connecté à votre compte chez {service} a présenté un jeton qui avait déjà servi ; sa connexion a donc été coupée. Deux onglets ou une réponse perdue peuvent en être la cause, un jeton volé aussi.',
  'mail.account_deleted.subject': 'Votre compte chez {service} a été supprimé',
  'mail.account_deleted.text':
    'Votre compte chez {service} a été supprimé avec tout ce qu’il contenait. Personne ne peut le rétablir.',
  'mail.test.subject': 'Message d’essai de {service}',
  'mail.test.text': 'Ce message a été envoyé pour voir si les e-mails de {service} arrivent. Ils arrivent.',

  'mail.link.reset': 'Choisir un nouveau mot de passe',
  'mail.link.confirm': 'Confirmer cette adresse',
  'mail.link.login': 'Se connecter',
  'mail.link.undo': 'Annuler ce changement',
  'mail.code': 'Ou saisissez ce code là où vous l’avez demandé, avant {lasts} :',
  'mail.lasts': 'Le lien ne sert qu’une fois, pendant {lasts}.',
  'mail.not_asked': 'Si vous n’avez rien demandé, vous n’avez rien à faire.',
  'mail.not_registered':
    'Si vous n’avez rien demandé, n’ouvrez pas le lien : quelqu’un d’autre aurait alors un compte à votre nom. Vous n’avez rien à faire.',
  'mail.not_you.password':
    'Si ce n’était pas vous, choisissez tout de suite un nouveau mot de passe. Tous les appareils seront déconnectés.',
  'mail.not_you.undo':
    'Si ce n’était pas vous, annulez ce changement : votre compte retrouve cette adresse, tous les appareils sont déconnectés, et vous choisissez un nouveau mot de passe. Le lien sert pendant {lasts}.',
  'mail.not_you.address': 'Si ce n’était pas vous, prévenez les responsables de {service}.',
  'mail.not_you.deleted':
    'Si ce n’était pas vous, quelqu’un connaissait votre mot de passe. Changez-le partout où il sert, et prévenez les responsables de {service}.',
  'mail.not_you.guessing':
    'Si ce n’était pas vous, quelqu’un essaie de deviner. Vous n’avez rien à faire si votre mot de passe est long et ne sert nulle part ailleurs.',
  'mail.when': 'Quand',
  'mail.from': 'Depuis',
  'mail.device': 'Appareil',
  'mail.end': 'Envoyé par {service}, {url}. Personne ne lit les réponses à ce message.',
}
