// What makes the pages a little more comfortable where scripts run: show what was typed, tell of Caps Lock, send a form
// once, fill in a token that came behind the # of a link, leave nothing for Back. No page needs it; the words come with the
// element that loads it.

const words = document.currentScript.dataset

function addShowButton(input) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show'
  const show = (visible) => {
    input.type = visible ? 'text' : 'password'
    button.textContent = visible ? words.hide : words.show
    button.setAttribute('aria-label', visible ? words.hidePassword : words.showPassword)
  }
  button.addEventListener('click', () => show(input.type === 'password'))
  // Sent as what it is, so that browsers do not keep it as a text.
  input.form.addEventListener('submit', () => show(false))
  show(false)
  const row = document.createElement('span')
  row.className = 'password'
  input.replaceWith(row)
  row.append(input, button)
  // Moving an element takes its focus away.
  if (input.autofocus) input.focus()
}

function addCapsLockHint(input) {
  const hint = document.createElement('p')
  hint.className = 'hint'
  hint.setAttribute('role', 'status')
  input.closest('.field').append(hint)
  const look = (event) => {
    hint.textContent = event.getModifierState?.('CapsLock') ? words.capsLock : ''
  }
  input.addEventListener('keydown', look)
  input.addEventListener('keyup', look)
  input.addEventListener('blur', () => {
    hint.textContent = ''
  })
}

// For as long as an answer takes, in milliseconds: whoever stopped it presses the button again.
const ONCE = 10_000

function sendOnce(form) {
  let sent = false
  const buttons = form.querySelectorAll('button[type=submit]')
  const mark = (now) => {
    sent = now
    for (const button of buttons) button.disabled = now
  }
  form.addEventListener('submit', (event) => {
    if (sent) event.preventDefault()
    else setTimeout(mark, ONCE, false)
    mark(true)
  })
}

const tokenField = document.querySelector(
  'input[name=reset_token], input[name=verification_token], input[name=undo_token]',
)

// Or Back would bring back what was not used, and show it.
function keepNoToken() {
  tokenField.autocomplete = 'off'
}

function takeTokenFromFragment() {
  const brought = new URLSearchParams(location.hash.slice(1))
  if (tokenField === null || !brought.has('t')) return
  history.replaceState(null, '', location.pathname + location.search)
  tokenField.value = brought.get('t')
  keepNoToken()
  // Nobody has to see it; the button, or the new password, is all that is left to do.
  tokenField.closest('.field').hidden = true
  const email = document.querySelector('input[name=email]')
  if (email !== null && brought.has('e')) email.value = brought.get('e')
}

// Browsers keep pages as they were left, and would show them by Back to whoever comes after the logout.
function leaveNothing() {
  window.addEventListener('pagehide', () => {
    document.body.hidden = true
  })
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload()
  })
}

// A page that answers a form keeps what was sent in the history, a password too, and a reload would send it again. Where the
// form was to lead is kept.
function forgetWhatWasSent() {
  const next = document.querySelector('input[name=next]')?.value
  const isLost = next !== undefined && location.search === ''
  history.replaceState(null, '', isLost ? `?${new URLSearchParams({ next })}${location.hash}` : location.href)
}

forgetWhatWasSent()
for (const input of document.querySelectorAll('input[type=password]')) {
  addShowButton(input)
  addCapsLockHint(input)
}
leaveNothing()
for (const form of document.forms) sendOnce(form)
tokenField?.addEventListener('input', keepNoToken)
takeTokenFromFragment()
// A newer link that is opened in the same tab changes nothing but what stands behind the #.
window.addEventListener('hashchange', takeTokenFromFragment)
