/** Requests to the gateway: relative addresses, the session's cookie, and the CSRF token with each change. */
import { ApiError, readError, unreachable } from './api-error.ts';

/** The script lies in `<gateway>/console/assets/`. A proxy may serve the gateway below any path. */
const script: string = import.meta.url;

/** The path of the console, with a slash at the end. */
export const consolePath = new URL(import.meta.env.DEV ? '/console/' : '../', script).pathname;
/** The path of the gateway, with a slash at the end. */
export const gatewayPath = new URL('../', new URL(consolePath, script)).pathname;

let csrf = '';
let viewedPerson: string | null = null;
let onSignedOut: () => void = () => undefined;

/** Sets the value that writes must send, from `GET /auth/session`. */
export function setCsrfToken(token: string): void {
  csrf = token;
}

/** Reads the gateway as this person from now on, by their id in `GET /api/people`; null: as the signed-in person. */
export function setViewedPerson(person: string | null): void {
  viewedPerson = person;
}

/** The header of a request that is read as another person. */
export function viewAsHeader(person: string): Readonly<Record<string, string>> {
  return { 'x-pailou-view-as': encodeURIComponent(person) };
}

/** Calls `listener` when an answer says that the session is over. */
export function onSessionEnd(listener: () => void): void {
  onSignedOut = listener;
}

export interface CallOptions {
  readonly body?: unknown;
  /** A file as the body, in place of JSON. */
  readonly file?: Blob;
  readonly signal?: AbortSignal;
  /** The revision that the change is based on. */
  readonly ifMatch?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `path` is that of the gateway, such as `/api/providers`. Throws `ApiError` for every answer but a good one. */
export async function send(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const { body, file, signal, ifMatch } = options;
  const view = viewedPerson === null || path.startsWith('/auth/') ? {} : viewAsHeader(viewedPerson);
  const headers = new Headers({ accept: 'application/json', ...view, ...options.headers });
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (method !== 'GET') headers.set('x-pailou-csrf', csrf);
  if (ifMatch !== undefined) headers.set('if-match', `"${ifMatch}"`);
  let response: Response;
  try {
    response = await fetch(gatewayPath + path.slice(1), {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(file === undefined ? {} : { body: file }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw unreachable(cause);
  }
  if (response.ok) return response;
  const error = await readError(response);
  if (response.status === 401) onSignedOut();
  throw error;
}

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    throw new ApiError({ status: response.status, code: 'not_json', message: '', param: null, requestId: null }, { cause });
  }
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly next: string | null;
}

/** All entries of a list by keyset, for lists that are short or offered as a whole. */
export async function callAll<T>(path: string, signal: AbortSignal): Promise<readonly T[]> {
  const all: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await call('GET', path + queryOf({ limit: 500, after }), { signal });
    all.push(...page.data);
    after = page.next;
  } while (after !== null);
  return all;
}

/** The query of an address; empty values are left out. */
export function queryOf(values: Readonly<Record<string, string | number | undefined | null>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
