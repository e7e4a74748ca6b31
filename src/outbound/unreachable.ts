/** Why an address could not be reached, and what an administrator can do: a wrong host, a missing proxy and a dead server need different hands. */

export interface Unreachable {
  /** A stable word for ledgers and scripts. */
  readonly reason: string;
  readonly advice: string;
}

/** By reason. The console has a sentence for each. */
export const advices = {
  host_unknown:
    'No name server knows the host of this address. Correct the host in base_url; on a network that resolves only its own names, set a proxy (HTTPS_PROXY, or `proxy` of the row).',
  dns_unavailable: 'No name server answers this machine. Check its DNS; behind a company proxy, set HTTPS_PROXY, or `proxy` of the row.',
  no_route:
    'Nothing answers on the way to this address: a firewall, or a missing proxy. Behind a company proxy, set HTTPS_PROXY, or `proxy` of the row.',
  connection_refused: 'The host is there, but nothing listens on this port: the server is down, or the port in base_url is wrong.',
  connection_reset:
    'The server closed the connection before it answered: it is restarting or overloaded, or expects another protocol (http or https).',
  certificate_refused:
    'The certificate of the server is not trusted. Check the host in base_url; for a certificate of your own authority, start Pailou with NODE_EXTRA_CA_CERTS.',
  tls_failed: 'The server does not speak TLS as expected; write http:// in base_url if it has none.',
  proxy_unreachable: 'The proxy cannot be reached. Check HTTPS_PROXY, or `proxy` of the row, and whether it runs.',
  proxy_login: 'The proxy refuses the login. Correct proxy_user and proxy_password, or the login in HTTPS_PROXY.',
  proxy_refused: 'The proxy refuses this address, or cannot reach it. Ask its operator to allow the host, or name the host in NO_PROXY.',
} as const;

const reasons: ReadonlyMap<string, keyof typeof advices> = new Map([
  ['ENOTFOUND', 'host_unknown'],
  ['ENODATA', 'host_unknown'],
  ['EAI_AGAIN', 'dns_unavailable'],
  ['EAI_FAIL', 'dns_unavailable'],
  ['ETIMEDOUT', 'no_route'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no_route'],
  ['EHOSTUNREACH', 'no_route'],
  ['ENETUNREACH', 'no_route'],
  ['EHOSTDOWN', 'no_route'],
  ['ECONNREFUSED', 'connection_refused'],
  ['ECONNRESET', 'connection_reset'],
  ['EPIPE', 'connection_reset'],
  ['UND_ERR_SOCKET', 'connection_reset'],
  ['EPROTO', 'tls_failed'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_failed'],
  ['PROXY_UNREACHABLE', 'proxy_unreachable'],
  ['PROXY_LOGIN', 'proxy_login'],
  ['PROXY_REFUSED', 'proxy_refused'],
]);

/** Null for a failure of another kind. `code` is that of Node, undici or the proxy. */
export function unreachableBy(code: string): Unreachable | null {
  const reason = reasons.get(code) ?? (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code) ? 'certificate_refused' : null);
  return reason === null ? null : { reason, advice: advices[reason] };
}

/** The cause in a chain of errors that says why an address cannot be reached; `fetch` hides it below a `TypeError`. */
export function unreachableIn(error: unknown): { readonly reason: string; readonly text: string } | null {
  for (let each = error; each instanceof Error; each = each instanceof AggregateError ? (each.errors as unknown[])[0] : each.cause) {
    const { code } = each as { readonly code?: unknown };
    const found = typeof code === 'string' ? unreachableBy(code) : null;
    if (found !== null) return { reason: found.reason, text: each.message.slice(0, 500) };
  }
  return null;
}
