/** The two cookies of browser sign-in. RFC 6265bis: `__Host-` cookies are bound to this host and to https. */
import type { IncomingHttpHeaders } from 'node:http';

export interface CookieJar {
  readonly session: string;
  readonly ticket: string;
  /** The value of a cookie. Null when it is missing or present twice. */
  read(headers: IncomingHttpHeaders, name: string): string | null;
  /** A `set-cookie` header. An empty value deletes the cookie. */
  write(name: string, value: string, seconds: number): string;
}

/** On a developer's machine without https, browsers refuse the prefixes. A gateway below a path shares its host, so its cookies are bound to the path. */
export function createCookieJar(publicUrl: string): CookieJar {
  const secure = publicUrl.startsWith('https:');
  const below = new URL(publicUrl).pathname.replace(/\/+$/, '');
  const prefix = !secure ? '' : below === '' ? '__Host-' : '__Secure-';
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
      `${name}=${value}; Path=${below || '/'}; HttpOnly; SameSite=Lax; Max-Age=${value === '' ? 0 : seconds}${secure ? '; Secure' : ''}`,
  };
}
