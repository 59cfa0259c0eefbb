/**
 * A client of Bienvenue for TypeScript and JavaScript, in browsers and in Node: `import { Bienvenue } from 'bienvenue/client'`.
 * It needs nothing but `fetch`. It logs in, refreshes by itself and once for many calls, and throws errors with a code.
 * client.js and client.d.ts are made from this file by `npm run client`.
 */
/** What a program keeps of a login. Whoever has these is signed in: store them as you would a password. */
export interface Tokens {
    accessToken: string;
    refreshToken: string;
    /** Milliseconds since the epoch, by the clock of this machine. */
    expiresAt: number;
}
export interface Account {
    id: number;
    email: string;
    name: string | null;
    confirmed: boolean;
    /** ISO 8601. */
    created_at: string;
    /** After a change of address: the new one, which counts when the link in the mail to it is opened. */
    pending_email?: string;
}
/** One place where somebody is signed in. */
export interface OpenSession {
    id: string;
    device: string;
    address: string;
    /** ISO 8601, both. */
    created_at: string;
    last_used_at: string;
    current: boolean;
}
export interface AccountChanges {
    name?: string;
    email?: string;
    password?: string;
    /** Needed for a new address or password. */
    current_password?: string;
}
/** Where tokens are kept between calls. Tabs and processes that share one share the login. */
export interface TokenStore {
    read(): Tokens | null | Promise<Tokens | null>;
    write(tokens: Tokens | null): void | Promise<void>;
}
export interface Options {
    /** Default: in memory, so that the login ends with the program. */
    store?: TokenStore;
    /** `cookie` for front ends: the browser keeps the tokens, and no script sees them. Default: `body`. */
    transport?: 'body' | 'cookie';
    /** Default: the `fetch` of the platform. */
    fetch?: typeof fetch;
    /** After which an answer is given up (`unreachable`), in milliseconds: others may be waiting for it. Default: 30,000. */
    timeout?: number;
}
/**
 * A refusal. `code` is one of docs/errors.md, or `unreachable` (status 0) where there was no answer, or `unreadable` where
 * it was not from Bienvenue. `signed_out` says that there is nothing to be signed in with, `path_invalid` that a path has no
 * slash at its beginning.
 */
export declare class BienvenueError extends Error {
    readonly name = "BienvenueError";
    readonly status: number;
    readonly code: string;
    /** The field that it is about. */
    readonly field: string | undefined;
    /** Seconds after which another try makes sense. */
    readonly retryAfter: number | undefined;
    constructor(status: number, code: string, message: string, detail?: {
        field?: string;
        retryAfter?: number;
    });
}
type Fields = Record<string, string>;
export declare class Bienvenue {
    #private;
    /** @param url where the service is reached, like `https://auth.example.org` */
    constructor(url: string, { store, transport, fetch: own, timeout }?: Options);
    /** Makes an account; nobody is signed in by it. */
    register(account: {
        email: string;
        password: string;
        name?: string;
    }): Promise<void>;
    /** @throws BienvenueError, `signed_out` where `logOut` or another login was called before the answer came */
    logIn(email: string, password: string): Promise<void>;
    /**
     * Ends the session here and there. What is kept is forgotten even where the service cannot be reached, and whatever is
     * answered later signs nobody in.
     */
    logOut(): Promise<void>;
    account(): Promise<Account>;
    /** @returns the changed account; the login goes on, with a new address or password too */
    changeAccount(changes: AccountChanges): Promise<Account>;
    deleteAccount(currentPassword: string): Promise<void>;
    sessions(): Promise<OpenSession[]>;
    endSession(id: string, currentPassword: string): Promise<void>;
    /** @returns an access token that is good for a while, to be sent to other services as `Authorization: Bearer` */
    accessToken(): Promise<string>;
    /**
     * Calls any route of the service as whoever is signed in, refreshing first or once more where it must.
     * @param path like `/users/me`
     * @returns the body of the answer
     * @throws BienvenueError
     */
    call(method: string, path: string, fields?: Fields): Promise<unknown>;
}
export {};
