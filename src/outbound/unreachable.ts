/** Why an address could not be reached, and what an administrator can do: a wrong host, a missing proxy and a dead server need different hands. */

export interface Unreachable {
  /** A stable word for ledgers and scripts. */
  readonly reason: string;
  readonly advice: string;
}

const hostUnknown: Unreachable = {
  reason: 'host_unknown',
  advice:
    'No name server knows the host of this address. Correct the host in base_url; on a network that resolves only its own names, set a proxy (HTTPS_PROXY, or `proxy` of the row).',
};
const noNameServer: Unreachable = {
  reason: 'dns_unavailable',
  advice: 'No name server answers this machine. Check its DNS; behind a company proxy, set HTTPS_PROXY, or `proxy` of the row.',
};
const noRoute: Unreachable = {
  reason: 'no_route',
  advice:
    'Nothing answers on the way to this address: a firewall, or a missing proxy. Behind a company proxy, set HTTPS_PROXY, or `proxy` of the row.',
};
const refused: Unreachable = {
  reason: 'connection_refused',
  advice: 'The host is there, but nothing listens on this port: the server is down, or the port in base_url is wrong.',
};
const reset: Unreachable = {
  reason: 'connection_reset',
  advice:
    'The server closed the connection before it answered: it is restarting or overloaded, or expects another protocol (http or https).',
};
const badCertificate: Unreachable = {
  reason: 'certificate_refused',
  advice:
    'The certificate of the server is not trusted. Check the host in base_url; for a certificate of your own authority, start Pailou with NODE_EXTRA_CA_CERTS.',
};
const noTls: Unreachable = {
  reason: 'tls_failed',
  advice: 'The server does not speak TLS as expected; write http:// in base_url if it has none.',
};
const byCode: Readonly<Record<string, Unreachable>> = {
  ENOTFOUND: hostUnknown,
  ENODATA: hostUnknown,
  EAI_AGAIN: noNameServer,
  EAI_FAIL: noNameServer,
  ETIMEDOUT: noRoute,
  UND_ERR_CONNECT_TIMEOUT: noRoute,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  EHOSTDOWN: noRoute,
  ECONNREFUSED: refused,
  ECONNRESET: reset,
  EPIPE: reset,
  UND_ERR_SOCKET: reset,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  PROXY_UNREACHABLE: {
    reason: 'proxy_unreachable',
    advice: 'The proxy cannot be reached. Check HTTPS_PROXY, or `proxy` of the row, and whether it runs.',
  },
  PROXY_LOGIN: {
    reason: 'proxy_login',
    advice: 'The proxy refuses the login. Correct proxy_user and proxy_password, or the login in HTTPS_PROXY.',
  },
  PROXY_REFUSED: {
    reason: 'proxy_refused',
    advice: 'The proxy refuses this address, or cannot reach it. Ask its operator to allow the host, or name the host in NO_PROXY.',
  },
};

/** Null for a failure of another kind. `code` is that of Node, undici or the proxy. */
export function unreachableBy(code: string): Unreachable | null {
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (known !== undefined) return known;
  return /CERT|SELF_SIGNED|UNABLE_TO_/.test(code) ? badCertificate : null;
}
