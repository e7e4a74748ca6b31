/** The two cookies of signing in. RFC 6265bis: `__Host-` ones are bound to this host, to https and to no path of it. */
import type { IncomingHttpHeaders } from 'node:http';

export interface CookieJar {
  readonly session: string;
  readonly ticket: string;
  /** The value of a cookie; null where there is none, or two of them. */
  read(headers: IncomingHttpHeaders, name: string): string | null;
  /** A `set-cookie` header; an empty value takes the cookie away. */
  write(name: string, value: string, seconds: number): string;
}

/** `secure`: the browser comes by https. Without, on a developer's own machine, the prefix would not be accepted. */
export function createCookieJar(secure: boolean): CookieJar {
  const prefix = secure ? '__Host-' : '';
  return {
    session: `${prefix}pailou`,
    ticket: `${prefix}pailou-sign-in`,
    read({ cookie }, name) {
      if (cookie === undefined) return null;
      const values = cookie
        .split(';')
        .map((part) => part.trim())
        .filter((part) => part.startsWith(`${name}=`))
        .map((part) => part.slice(name.length + 1));
      return values.length === 1 && values[0] !== '' ? (values[0] ?? null) : null;
    },
    write: (name, value, seconds) =>
      `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${value === '' ? 0 : seconds}${secure ? '; Secure' : ''}`,
  };
}
