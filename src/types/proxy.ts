/** HTTP and SOCKS5 proxies of a company network: how a setting or a row names one. */
import { z } from 'zod';
import { secret } from './secret.ts';

/** `socks5h` is the name that curl gives to SOCKS5 with names resolved by the proxy. */
export type ProxyProtocol = 'http:' | 'https:' | 'socks5:' | 'socks5h:';

export interface ProxyServer {
  readonly protocol: ProxyProtocol;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** Equal for the same proxy with the same login. Holds the password: never shown. */
  readonly key: string;
}

const ports: Readonly<Record<ProxyProtocol, number>> = { 'http:': 80, 'https:': 443, 'socks5:': 1080, 'socks5h:': 1080 };

/** What a row writes to connect directly although the environment names a proxy. */
export const withoutProxy = 'none';

export const proxyForm = 'an address such as http://proxy.internal:3128 or socks5://proxy.internal:1080';

/** Undefined for a text that names no proxy. A text without a scheme names an HTTP proxy, as in curl. */
export function readProxy(text: string, login: ProxyServer['login'] = null): ProxyServer | undefined {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.parse(address);
  if (url === null || !(url.protocol in ports) || url.hostname === '' || url.search !== '' || url.hash !== '') return undefined;
  if (url.pathname !== '' && url.pathname !== '/') return undefined;
  const protocol = url.protocol as ProxyProtocol;
  const port = Number(url.port || ports[protocol]);
  const own = loginOf(url);
  if (own === undefined) return undefined;
  const used = own ?? login;
  return {
    protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    login: used,
    key: JSON.stringify([protocol, url.hostname, port, used]),
  };
}

/** Null without a login, undefined for one that is not URL-encoded. */
function loginOf({ username, password }: URL): ProxyServer['login'] | undefined {
  if (username === '' && password === '') return null;
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

/** The proxy without its login, for messages. */
export function proxyName({ protocol, hostname, port }: ProxyServer): string {
  return `${protocol}//${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}

/** The address of a proxy in a form that the outbound guard checks. */
export function guardedAddress(proxy: ProxyServer): string {
  return proxyName(proxy).replace(/^socks5h?:/, 'http:');
}

/** The options by which a row of any kind that connects to a network names its proxy. */
export const proxyFields = {
  proxy: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .refine((text) => text === withoutProxy || readProxy(text) !== undefined, `must be ${proxyForm}, or ${withoutProxy}`)
    .refine(
      (text) => text === withoutProxy || !text.includes('@'),
      'may not carry a login; write it in proxy_user and proxy_password, which is stored encrypted',
    )
    .optional()
    .describe(
      'The proxy that all connections of this row go through: http, https or socks5. `none` connects directly although the environment names a proxy.',
    )
    .meta({ address: true }),
  proxy_user: z.string().min(1).max(255).optional().describe('The login at the proxy.'),
  proxy_password: secret().max(255).optional().describe('The password of proxy_user.'),
};

const readFields = z.looseObject(proxyFields);

/** The proxy that parsed options name; `null` for a direct connection; undefined where they do not say. */
export function proxyOfOptions(options: unknown): ProxyServer | null | undefined {
  const read = readFields.safeParse(options);
  const { proxy, proxy_user: user, proxy_password: password = '' } = read.data ?? {};
  if (proxy === undefined) return undefined;
  return proxy === withoutProxy ? null : readProxy(proxy, user === undefined ? null : { user, password });
}
