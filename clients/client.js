/**
 * A client of Bienvenue for TypeScript and JavaScript, in browsers and in Node: `import { Bienvenue } from 'bienvenue/client'`.
 * It needs nothing but `fetch`. It logs in, refreshes by itself and once for many calls, and throws errors with a code.
 * client.js and client.d.ts are made from this file by `npm run client`.
 */
/**
 * A refusal. `code` is one of docs/errors.md, or `unreachable` (status 0) where there was no answer, or `unreadable` where
 * it was not from Bienvenue. `signed_out` says that there is nothing to be signed in with, `path_invalid` that a path has no
 * slash at its beginning.
 */
export class BienvenueError extends Error {
    name = 'BienvenueError';
    status;
    code;
    /** The field that it is about. */
    field;
    /** Seconds after which another try makes sense. */
    retryAfter;
    constructor(status, code, message, detail = {}) {
        super(message);
        this.status = status;
        this.code = code;
        this.field = detail.field;
        this.retryAfter = detail.retryAfter;
    }
}
/** An access token with less left than this is refreshed before it is sent, in milliseconds. */
const TOO_SHORT = 5_000;
/** After these the session is gone, and so are its tokens. */
const ENDED = new Set(['refresh_refused', 'refresh_token_reused']);
/** As long as a service takes that is well, in milliseconds. */
const LONGEST = 30_000;
/** The longest that a timer can wait for, in milliseconds. */
const ENDLESS = 2 ** 31 - 1;
export class Bienvenue {
    #url;
    #fetch;
    #cookies;
    #store;
    #timeout;
    #refreshing = null;
    /** How often somebody was to be signed in or out. */
    #turns = 0;
    /** The last of those that go one after the other, by what they are about. */
    #last = new Map();
    /** @param url where the service is reached, like `https://auth.example.org` */
    constructor(url, { store = memory(), transport = 'body', fetch: own, timeout = LONGEST } = {}) {
        this.#url = url.replace(/\/+$/, '');
        // Browsers refuse a fetch that is called as a method of something else.
        this.#fetch = own ?? ((input, init) => fetch(input, init));
        this.#cookies = transport === 'cookie';
        this.#store = store;
        this.#timeout = Math.min(timeout, ENDLESS);
    }
    /** Makes an account; nobody is signed in by it. */
    async register(account) {
        await this.#send('POST', '/users', account);
    }
    /** @throws BienvenueError, `signed_out` where `logOut` or another login was called before the answer came */
    async logIn(email, password) {
        this.#turns += 1;
        const turn = this.#turns;
        if (this.#cookies) {
            await this.#alone(namedFor(null), async () => {
                await this.#send('POST', '/tokens', { email, password, transport: 'cookie' });
                // What was called meanwhile has its turn after this one, and may fail.
                if (turn !== this.#turns)
                    await this.#send('DELETE', '/tokens', {}).catch(() => { });
                this.#sameTurn(turn);
            });
            return;
        }
        const before = await this.#store.read();
        const answer = await this.#send('POST', '/tokens', { email, password, transport: 'body' });
        // Somebody else who has logged in meanwhile in another tab stays. That there is nobody any more tells nothing: a session of
        // before may have been found to have ended.
        const free = (now) => now === null || personIn(now) === personIn(before);
        const kept = await this.#keep(answer, (now) => turn === this.#turns && free(now));
        if (kept)
            return;
        this.#sameTurn(turn);
        // The same person in another tab is who was to be signed in.
        if (personIn(await this.#store.read()) !== personIn(tokensOf(answer)))
            throw signedOut();
    }
    /**
     * Ends the session here and there. What is kept is forgotten even where the service cannot be reached, and whatever is
     * answered later signs nobody in.
     */
    async logOut() {
        this.#turns += 1;
        if (this.#cookies)
            return this.#endCookies();
        const tokens = await this.#alone('store', async () => {
            const forgotten = await this.#store.read();
            await this.#store.write(null);
            return forgotten;
        });
        if (tokens !== null)
            await this.#end(tokens);
    }
    async account() {
        return accountOf(await this.call('GET', '/users/me'));
    }
    /** @returns the changed account; the login goes on, with a new address or password too */
    async changeAccount(changes) {
        const answer = await this.#deciding('PATCH', '/users/me', { ...changes }, async (changed, used) => {
            const { tokens } = Object(changed);
            if (tokens !== undefined)
                await this.#keep(tokens, (now) => isSame(now, used));
        });
        return accountOf(answer);
    }
    async deleteAccount(currentPassword) {
        await this.#deciding('DELETE', '/users/me', { current_password: currentPassword }, async (_, used) => {
            await this.#exchange(null, (now) => isSame(now, used));
        });
    }
    async sessions() {
        const { sessions } = Object(await this.call('GET', '/sessions'));
        if (!Array.isArray(sessions))
            throw unreadable('sessions');
        return sessions.map(sessionOf);
    }
    async endSession(id, currentPassword) {
        await this.call('DELETE', `/sessions/${encodeURIComponent(id)}`, { current_password: currentPassword });
    }
    /** @returns an access token that is good for a while, to be sent to other services as `Authorization: Bearer` */
    async accessToken() {
        return (await this.#usable()).accessToken;
    }
    /**
     * Calls any route of the service as whoever is signed in, refreshing first or once more where it must.
     * @param path like `/users/me`
     * @returns the body of the answer
     * @throws BienvenueError
     */
    async call(method, path, fields) {
        // `@` or a dot would make the host a part of something else, and another host would get the token.
        if (!path.startsWith('/'))
            throw new BienvenueError(0, 'path_invalid', 'a path begins with a slash');
        return this.#signedIn((used) => this.#send(method, path, fields, used));
    }
    /**
     * A call that ends tokens or makes new ones: never beside another of its kind, or a refresh.
     * @param done what follows from the answer, and from the tokens with which it was asked
     */
    #deciding(method, path, fields, done = async () => { }) {
        return this.#signedIn((asking) => this.#alone(namedFor(asking), async () => {
            const used = asking === null ? null : await this.#still(asking);
            const answer = await this.#send(method, path, fields, used);
            await done(answer, used);
            return answer;
        }));
    }
    /** Asks as one person: where another one logs in meanwhile, nothing is done in their name. */
    async #signedIn(ask) {
        const turn = this.#turns;
        const used = this.#cookies ? null : await this.#usable();
        try {
            return await ask(used);
        }
        catch (error) {
            if (!isExpired(error, this.#cookies))
                throw error;
            if (used !== null)
                return ask(await this.#refreshed(used));
            await this.#refreshedCookies();
            return ask(this.#sameTurn(turn));
        }
    }
    /** Whose cookies there are no script sees; but whether somebody was signed in or out here since. */
    #sameTurn(turn) {
        if (turn !== this.#turns)
            throw signedOut();
        return null;
    }
    async #usable() {
        const tokens = await this.#store.read();
        if (tokens === null)
            throw signedOut();
        return tokens.expiresAt - Date.now() > TOO_SHORT ? tokens : this.#refreshed(tokens);
    }
    /** @returns what is kept of the same person by now */
    async #still(used) {
        const kept = await this.#store.read();
        if (kept === null || personIn(kept) !== personIn(used))
            throw signedOut();
        return kept;
    }
    /** A refresh token works a single time: of many calls that need another one the first gets it, and the rest find it. */
    #refreshed(used) {
        return this.#alone(namedFor(used), async () => {
            const kept = await this.#still(used);
            if (!isSame(kept, used))
                return kept;
            try {
                const answer = await this.#send('POST', '/tokens/refresh', { refresh_token: kept.refreshToken });
                await this.#keep(answer, (now) => isSame(now, kept));
            }
            catch (error) {
                const ended = error instanceof BienvenueError && ENDED.has(error.code);
                if (ended)
                    await this.#exchange(null, (now) => isSame(now, kept));
                throw error;
            }
            return this.#still(kept);
        });
    }
    /** No script sees them: many calls share one refresh. */
    #refreshedCookies() {
        this.#refreshing ??= this.#alone(namedFor(null), () => this.#refresh()).finally(() => {
            this.#refreshing = null;
        });
        return this.#refreshing;
    }
    #refresh() {
        return this.#send('POST', '/tokens/refresh', {});
    }
    /**
     * Keeps the tokens of an answer, unless a logout has emptied the store meanwhile or somebody else has logged in: then they
     * are nobody's, and are ended.
     * @returns whether they are kept
     */
    async #keep(answer, may) {
        const tokens = tokensOf(answer);
        const kept = await this.#exchange(tokens, may);
        // Where the service cannot be reached they end by themselves.
        if (!kept)
            await this.#end(tokens).catch(() => { });
        return kept;
    }
    /** @returns whether what is kept has been replaced */
    #exchange(next, may) {
        return this.#alone('store', async () => {
            const replaced = may(await this.#store.read());
            if (replaced)
                await this.#store.write(next);
            return replaced;
        });
    }
    /** In one turn: a refresh after the login of somebody else would be theirs, and the former session would stay. */
    async #endCookies() {
        const end = () => this.#send('DELETE', '/tokens', {});
        try {
            await this.#alone(namedFor(null), async () => {
                await end().catch(async (error) => {
                    if (!isExpired(error, true))
                        throw error;
                    await this.#refresh();
                    await end();
                });
            });
        }
        catch (error) {
            // It has ended before, which is what was wanted.
            const ended = error instanceof BienvenueError && (error.status === 401 || error.code === 'field_missing');
            if (!ended)
                throw error;
        }
    }
    async #end({ refreshToken }) {
        await this.#send('DELETE', '/tokens', { refresh_token: refreshToken });
    }
    /** One after the other, over all tabs of a browser where it can be done. */
    async #alone(what, work) {
        const { locks } = globalThis.navigator ?? {};
        const before = this.#last.get(what);
        const turn = (async () => {
            await before;
            return locks === undefined ? work() : locks.request(`bienvenue ${what} ${this.#url}`, work);
        })();
        this.#last.set(what, turn.catch(() => { }));
        return turn;
    }
    async #send(method, path, fields, tokens = null) {
        const headers = { accept: 'application/json' };
        if (fields !== undefined)
            headers['content-type'] = 'application/json';
        if (tokens !== null)
            headers.authorization = `Bearer ${tokens.accessToken}`;
        const body = fields === undefined ? null : JSON.stringify(fields);
        const credentials = this.#cookies ? 'include' : 'omit';
        const signal = AbortSignal.timeout(this.#timeout);
        const sent = this.#fetch(this.#url + path, { method, headers, body, credentials, signal });
        const answer = await sent.catch(unreachable);
        const read = parsed(await answer.text().catch(unreachable));
        if (!answer.ok)
            throw refusal(answer, read);
        return read;
    }
}
function memory() {
    let kept = null;
    return {
        read: () => kept,
        write(tokens) {
            kept = tokens;
        },
    };
}
function isExpired(error, cookies) {
    if (!(error instanceof BienvenueError))
        return false;
    return error.code === (cookies ? 'session_required' : 'token_invalid');
}
function isSame(one, other) {
    return one?.refreshToken === other?.refreshToken;
}
/** @returns whom an access token names, or null where there is none; it came from the service, and is not verified here */
function personIn(tokens) {
    const [, claims = ''] = tokens?.accessToken.split('.') ?? [];
    try {
        return Object(JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')))).sub ?? null;
    }
    catch {
        return null;
    }
}
/** What is done with the tokens of a person goes one after the other; nobody waits for those of somebody else. */
function namedFor(tokens) {
    return `tokens ${tokens === null ? '' : personIn(tokens)}`;
}
function signedOut() {
    return new BienvenueError(0, 'signed_out', 'nobody is signed in: log in first');
}
function unreachable(cause) {
    throw Object.assign(new BienvenueError(0, 'unreachable', 'the service cannot be reached'), { cause });
}
function unreadable(what) {
    return new BienvenueError(200, 'unreadable', `the answer holds no ${what}`);
}
function tokensOf(answer) {
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = Object(answer);
    if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof seconds !== 'number') {
        throw unreadable('tokens');
    }
    return { accessToken, refreshToken, expiresAt: Date.now() + seconds * 1_000 };
}
function accountOf(answer) {
    const { id, email, name, confirmed, created_at, pending_email } = Object(answer);
    const known = typeof email === 'string' && (typeof name === 'string' || name === null);
    if (!known || typeof id !== 'number' || typeof confirmed !== 'boolean' || typeof created_at !== 'string') {
        throw unreadable('account');
    }
    const account = { id, email, name, confirmed, created_at };
    return typeof pending_email === 'string' ? { ...account, pending_email } : account;
}
function sessionOf(entry) {
    const { id, device, address, created_at, last_used_at, current } = Object(entry);
    const texts = [id, device, address, created_at, last_used_at];
    if (typeof current !== 'boolean' || !texts.every((text) => typeof text === 'string'))
        throw unreadable('session');
    return { id, device, address, created_at, last_used_at, current };
}
function parsed(text) {
    try {
        return JSON.parse(text);
    }
    catch {
        return undefined;
    }
}
function refusal({ status, headers }, body) {
    const { code, message, field } = Object(body);
    const retryAfter = Number(headers.get('retry-after')) || undefined;
    if (typeof message !== 'string')
        return new BienvenueError(status, 'unreadable', `the service answered ${status}`);
    const detail = {
        ...(typeof field === 'string' && { field }),
        ...(retryAfter !== undefined && { retryAfter }),
    };
    // The one body without a code is fixed by the contract.
    return new BienvenueError(status, typeof code === 'string' ? code : 'email_taken', message, detail);
}
