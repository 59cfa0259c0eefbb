/** The texts of the pages in French. */

import type { Texts } from './en.ts'
import { frMail } from './fr_mail.ts'

export const fr: Texts = {
  ...frMail,
  'layout.account': 'Votre compte',
  'layout.log_in': 'Se connecter',
  'layout.log_out': 'Se déconnecter',
  'layout.terms': 'Conditions d’utilisation',
  'layout.failed': 'Pas encore fait',

  'form.email': 'Adresse e-mail',
  'form.password': 'Mot de passe',
  'form.new_password': 'Nouveau mot de passe',
  'form.new_password_hint': 'Au moins {count} caractères. Quelques mots que personne n’assemblerait en font un bon.',
  'form.new_password_free_hint': 'Quelques mots que personne n’assemblerait en font un bon.',
  'form.current_password': 'Mot de passe actuel',
  'form.name': 'Nom',
  'form.name_optional': 'Nom (facultatif)',
  'form.reset_token': 'Code reçu par e-mail',
  'form.verification_token': 'Jeton',
  'form.link_hint': 'Il est dans le lien de l’e-mail, après #t=.',

  'script.show': 'Afficher',
  'script.hide': 'Masquer',
  'script.show_password': 'Afficher le mot de passe',
  'script.hide_password': 'Masquer le mot de passe',
  'script.caps_lock': 'La touche Verr. Maj. est active.',

  'home.title': 'Bienvenue chez {service}',
  'home.text': 'Un compte, un mot de passe. Connectez-vous, ou inscrivez-vous si c’est votre première visite.',
  'home.log_in': 'Se connecter',
  'home.register': 'S’inscrire',
  'home.signed_in': 'Vous êtes connecté en tant que {email}.',
  'home.account': 'Aller à votre compte',

  'login.title': 'Connexion',
  'login.submit': 'Se connecter',
  'login.forgot': 'Mot de passe oublié ?',
  'login.new': 'Première visite ?',
  'login.register': 'S’inscrire',
  'login.confirm': 'Pas d’e-mail de confirmation ?',
  'login.unconfirmed':
    'L’adresse ou le mot de passe est faux, ou l’adresse n’est pas encore confirmée. Si elle attend de l’être, ouvrez le lien de l’e-mail reçu, ou demandez-en un autre ci-dessous.',

  'register.title': 'Inscription',
  'register.submit': 'S’inscrire',
  'register.known': 'Déjà inscrit ?',
  'register.log_in': 'Se connecter',
  'register.terms': 'En vous inscrivant, vous acceptez les conditions d’utilisation.',

  'forgot.title': 'Mot de passe oublié ?',
  'forgot.text':
    'Indiquez l’adresse de votre compte. Vous recevez alors un e-mail qui permet de choisir un nouveau mot de passe.',
  'forgot.submit': 'Envoyer l’e-mail',
  'forgot.back': 'Retour à la connexion',

  'reset.title': 'Choisir un nouveau mot de passe',
  'reset.text': 'Vous serez déconnecté partout et vous connecterez avec le nouveau mot de passe.',
  'reset.token_hint':
    'Il est dans l’e-mail : huit chiffres, valables dix minutes dans ce navigateur. Ou ouvrez-y le lien.',
  'reset.submit': 'Enregistrer le nouveau mot de passe',
  'reset.again': 'Demander un autre e-mail',

  'confirm.title': 'Confirmer votre adresse',
  'confirm.text': 'Cela indique à {service} que l’adresse est la vôtre.',
  'confirm.submit': 'Confirmer',
  'confirm.again': 'Le lien ne fonctionne pas, ou rien n’est arrivé ?',
  'confirm.again_submit': 'Envoyer un autre e-mail',

  'undo.title': 'Annuler le changement d’adresse',
  'undo.text':
    'Votre compte retrouve l’adresse à laquelle l’e-mail a été envoyé, tous les appareils sont déconnectés, et le mot de passe ne sert plus à rien. Vous en choisissez ensuite un nouveau.',
  'undo.submit': 'Annuler le changement',

  'outbox.title': 'Boîte d’envoi',
  'outbox.text':
    'En développement, aucun e-mail ne quitte cette machine. Ce qui serait envoyé est montré ici et écrit dans un dossier.',
  'outbox.none': 'Rien pour l’instant. Inscrivez-vous, ou demandez un nouveau mot de passe.',
  'outbox.to': 'à {to}',

  'account.title': 'Votre compte',
  'account.signed_in': 'Vous êtes connecté en tant que',
  'account.name': 'Nom',
  'account.no_name': 'aucun',
  'account.since': 'Inscription',
  'account.change_name': 'Changer votre nom',
  'account.change_email': 'Changer votre adresse',
  'account.new_email': 'Nouvelle adresse e-mail',
  'account.change_password': 'Changer votre mot de passe',
  'account.change_password_text': 'Tous vos autres appareils seront déconnectés.',
  'account.save': 'Enregistrer',
  'account.change_email_text':
    'Vous recevez un e-mail à la nouvelle adresse. Elle sera la vôtre ici quand vous en aurez ouvert le lien.',
  'account.unconfirmed': 'Cette adresse n’est pas encore confirmée : ouvrez le lien de l’e-mail qui lui a été envoyé.',
  'account.confirm_again': 'Renvoyer l’e-mail',

  'devices.title': 'Vos appareils',
  'devices.this': 'Cet appareil',
  'devices.used': 'Utilisé {when}, depuis {address}',
  'devices.end': 'Déconnecter',
  'devices.end_named': 'Déconnecter {device}',
  'devices.end_others': 'Déconnecter tous les autres',
  'devices.only': 'Vous n’êtes connecté nulle part ailleurs.',
  'devices.both': '{browser} sur {system}',
  'devices.unknown': 'Appareil inconnu',
  'devices.now': 'à l’instant',

  'activity.title': 'Activité récente',
  'activity.text': 'Si une ligne n’est pas de vous, changez de mot de passe.',
  'activity.none': 'Rien pour l’instant.',
  'activity.from': '{device}, {address}',

  'delete.title': 'Supprimer votre compte',
  'delete.open': 'Je veux supprimer mon compte',
  'delete.text':
    'Votre compte, votre nom, votre adresse et toutes vos sessions disparaîtront aussitôt. Personne ne pourra les rétablir.',
  'delete.submit': 'Supprimer mon compte définitivement',

  'refusal.403.title': 'Ce n’est pas autorisé',
  'refusal.403.next': 'Retournez à l’accueil et recommencez à partir de là.',
  'refusal.404.title': 'Il n’y a rien ici',
  'refusal.404.next': 'Vérifiez l’adresse, ou allez à l’accueil.',
  'refusal.405.title': 'Cette page ne s’ouvre pas ainsi',
  'refusal.405.next': 'On n’y arrive que par un formulaire. Allez à l’accueil et suivez le chemin à partir de là.',
  'refusal.429.title': 'Trop de tentatives',
  'refusal.429.next': 'Rien n’est perdu. Attendez un peu, puis réessayez.',
  'refusal.500.title': 'Une erreur s’est produite ici',
  'refusal.500.next':
    'La faute est la nôtre et elle est enregistrée. Réessayez ; si elle persiste, prévenez les responsables de {service}.',
  'refusal.503.title': 'Pas en ce moment',
  'refusal.503.next': 'Rien n’est perdu. Réessayez dans quelques secondes.',
  'refusal.other.title': 'Cela n’a pas pu être fait',
  'refusal.other.next': 'Allez à l’accueil et recommencez à partir de là.',
  'refusal.home': 'Aller à l’accueil',

  'notice.registered': 'Votre compte est prêt. Connectez-vous pour l’utiliser.',
  'notice.registered_mail':
    'Votre compte est prêt. Connectez-vous pour l’utiliser ; un e-mail vous demande de confirmer votre adresse.',
  'notice.registered_confirm':
    'Consultez maintenant votre courrier : ouvrez le lien reçu, puis connectez-vous. Si rien n’arrive en quelques minutes, regardez parmi les indésirables.',
  'notice.confirmation_requested':
    'Si cette adresse attend d’être confirmée, un e-mail lui est envoyé. Si rien n’arrive en quelques minutes, regardez parmi les indésirables.',
  'notice.email_confirmed': 'Votre adresse est confirmée.',
  'notice.email_change_requested':
    'Presque fini : ouvrez le lien de l’e-mail envoyé à la nouvelle adresse. Jusque-là, la précédente reste.',
  'notice.email_restored':
    'Votre adresse précédente est rétablie et tous les appareils sont déconnectés. Choisissez maintenant un nouveau mot de passe.',
  'notice.logged_out': 'Vous êtes déconnecté.',
  'notice.login_required': 'Connectez-vous pour voir cette page.',
  'notice.session_ended': 'Votre session est terminée. Reconnectez-vous pour reprendre où vous étiez.',
  'notice.password_updated':
    'Votre mot de passe est changé et tous vos appareils sont déconnectés. Connectez-vous avec le nouveau.',
  'notice.reset_requested':
    'Si cette adresse a un compte, un e-mail lui est envoyé : ouvrez-en le lien, ou saisissez ici son code. Si rien n’arrive en quelques minutes, vérifiez l’adresse et les indésirables, ou adressez-vous aux responsables de {service} : l’envoi d’e-mails n’est peut-être pas configuré.',
  'notice.reset_elsewhere':
    'Un code a été créé, mais il n’est montré qu’à un navigateur sur la machine du service lui-même.',
  'notice.name_changed': 'Votre nom est changé.',
  'notice.email_changed': 'Votre adresse est changée. Connectez-vous désormais avec la nouvelle.',
  'notice.password_changed': 'Votre mot de passe est changé et vos autres appareils sont déconnectés.',
  'notice.device_signed_out': 'Cet appareil est déconnecté.',
  'notice.others_signed_out': 'Vous êtes déconnecté partout ailleurs.',
  'notice.account_deleted': 'Votre compte est supprimé. Au revoir.',

  'error.field_missing': 'Veuillez remplir ce champ.',
  'error.field_invalid': 'Cela ne convient pas : trop long, ou avec des caractères qui ne peuvent pas être affichés.',
  'error.email_invalid': 'Ce n’est pas une adresse e-mail. Elle ressemble à bob@example.org.',
  'error.email_taken':
    'Cette adresse est déjà inscrite. Connectez-vous, ou choisissez un nouveau mot de passe si vous l’avez oublié.',
  'error.email_unknown': 'Aucun compte n’a cette adresse. Vérifiez-la, ou inscrivez-la.',
  'error.password_too_short': 'Ce mot de passe est trop court : il lui faut au moins {count} caractères.',
  'error.password_too_long': 'Ce mot de passe est trop long.',
  'error.password_common':
    'Ce mot de passe est l’un des plus courants, qui sont essayés en premier. Choisissez-en un autre.',
  'error.password_context':
    'Ce mot de passe est fait de votre adresse ou du nom de ce service. Choisissez-en un autre.',
  'error.password_invalid': 'Ce mot de passe contient des caractères illisibles. Choisissez-en un autre.',
  'error.credentials_invalid': 'L’adresse ou le mot de passe est faux. Vérifiez les deux et réessayez.',
  'error.email_unconfirmed':
    'Cette adresse n’est pas encore confirmée. Ouvrez le lien de l’e-mail reçu, ou demandez-en un autre ci-dessous.',
  'error.verification_refused':
    'Ce lien ne fonctionne plus : il a servi, il est trop ancien ou il y en a un plus récent. Demandez un autre e-mail.',
  'error.session_required': 'Votre session est terminée. Reconnectez-vous.',
  'error.token_invalid': 'Ce jeton ne fonctionne pas, ou plus.',
  'error.refresh_refused': 'Ce jeton de renouvellement ne fonctionne pas, ou plus. Reconnectez-vous.',
  'error.refresh_token_reused': 'Ce jeton de renouvellement a déjà servi ; sa session est terminée. Reconnectez-vous.',
  'error.operator_required': 'Cela est réservé à l’administration de ce service.',
  'error.current_password_wrong': 'Ce n’est pas votre mot de passe actuel.',
  'error.fresh_password_required': 'Un certain temps a passé : donnez encore une fois votre mot de passe actuel.',
  'error.throttled': 'Il y a eu trop de tentatives. Attendez {wait} avant la prochaine.',
  'error.reset_refused':
    'Ce code ne convient pas à cette adresse : il a servi, il est trop ancien ou c’est un autre. Demandez-en un nouveau.',
  'error.cross_origin': 'Cette demande vient d’une page d’un autre site ; rien n’a été fait.',
  'error.host_refused': 'Le service n’est pas joignable sous ce nom.',
  'error.body_invalid': 'Ce qui a été envoyé est illisible.',
  'error.body_too_large': 'Ce qui a été envoyé est trop grand.',
  'error.content_type_unsupported': 'Ce qui a été envoyé est d’un type qui n’est pas lu ici.',
  'error.request_invalid': 'La demande est illisible.',
  'error.not_found': 'Aucune page n’a cette adresse.',
  'error.method_not_allowed': 'Cette adresse ne sert pas ce genre de demande.',
  'error.busy': 'Beaucoup de personnes se connectent en ce moment. Réessayez dans quelques secondes.',
  'error.store_unavailable': 'Le service n’atteint pas ses données en ce moment. Réessayez dans quelques secondes.',
  'error.internal': 'Votre demande n’a pas pu recevoir de réponse.',

  'event.user_registered': 'Compte créé',
  'event.registration_refused': 'Quelqu’un a voulu inscrire cette adresse une nouvelle fois',
  'event.login_succeeded': 'Connexion',
  'event.login_failed': 'Connexion refusée : mauvais mot de passe',
  'event.logged_out': 'Déconnexion',
  'event.session_ended': 'Un appareil a été déconnecté',
  'event.sessions_ended': 'Tous les autres appareils ont été déconnectés',
  'event.password_confirmed': 'Mot de passe actuel donné',
  'event.password_refused': 'Mot de passe actuel erroné',
  'event.password_changed': 'Mot de passe changé',
  'event.password_disabled': 'Mot de passe désactivé par l’administration',
  'event.email_changed': 'Adresse changée',
  'event.email_change_requested': 'Nouvelle adresse demandée',
  'event.email_change_undone': 'Changement d’adresse annulé',
  'event.email_confirmation_requested': 'E-mail de confirmation demandé',
  'event.email_confirmed': 'Adresse confirmée',
  'event.name_changed': 'Nom changé',
  'event.password_reset_requested': 'Nouveau mot de passe demandé',
  'event.password_reset': 'Mot de passe redéfini avec un code',
  'event.password_reset_refused': 'Un code pour un nouveau mot de passe a été refusé',
  'event.user_deleted': 'Compte supprimé',
  'event.refresh_token_reused': 'Un programme a été déconnecté : quelqu’un a utilisé son ancien jeton',
  'event.signing_key_added': 'Nouvelle clé pour les jetons',
  'event.throttled': 'Trop de tentatives',
  'event.request_refused': 'Une demande a été refusée',
}
