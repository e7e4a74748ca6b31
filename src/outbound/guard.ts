/** The outbound guard against SSRF: a provider or MCP server must not give access to the company's own network. */
import { lookup as resolveName } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { GatewayError } from '../types/errors.ts';
import { createAddressRules } from './address-rules.ts';

export interface OutboundGuard {
  /** The parsed URL when Pailou may connect to it. Otherwise throws `configuration_invalid` naming `param`. The addresses of a host name are checked later, when connecting. */
  checkUrl(url: string, param: string): URL;
  /** The hook for `net.connect`: resolves a name and removes every address that is not allowed. */
  readonly lookup: LookupFunction;
  /** Throws BlockedAddress when `host` is an IP literal that is not allowed. Node does not resolve literals. */
  checkHost(host: string): void;
  /** Throws BlockedAddress for a target behind a proxy that is refused by its name or address alone. */
  checkTarget(host: string): void;
  /** True when a proxy must be asked for the address that was checked, because the name could lead elsewhere there. */
  readonly pinned: boolean;
  /** Throws BlockedAddress for a pinned target whose name cannot be resolved here. */
  refuseUnresolved(host: string): never;
}

/** A refused address, found while connecting. */
export class BlockedAddress extends Error {
  constructor(host: string, reason: string) {
    super(`connecting to ${host} is not allowed: ${reason}`);
    this.name = 'BlockedAddress';
  }
}

const metadataNames = new Set(['metadata', 'metadata.google.internal', 'instance-data', 'instance-data.ec2.internal']);

function bare(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}

export interface GuardOptions {
  /** CIDR ranges of private addresses that may be connected to. */
  readonly allow: readonly string[];
  /** The remedy in the error for other private addresses. */
  readonly advice?: string;
  /** See `OutboundGuard.pinned`. */
  readonly pinned?: boolean;
}

export function createOutboundGuard(options: GuardOptions): OutboundGuard {
  const rules = createAddressRules(options.allow, options.advice);

  /** The reason to refuse a host that is known without DNS. */
  const refuseHost = (host: string): string | null => {
    const name = bare(host);
    if (isIP(name) !== 0) return rules.refuse(name);
    if (metadataNames.has(name)) return 'the name is that of a metadata service, which is never allowed';
    if (name === 'localhost' || name.endsWith('.localhost')) return rules.refuse('127.0.0.1');
    return null;
  };

  return {
    checkUrl(text, param) {
      const refuse = (why: string): GatewayError => new GatewayError('configuration_invalid', `${param}: ${why}.`, { param });
      const url = URL.canParse(text) ? new URL(text) : null;
      if (url === null) throw refuse('not a URL; write it like https://api.example.com/v1');
      if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('the URL must begin with https:// or http://');
      if (url.username !== '' || url.password !== '')
        throw refuse('the URL may not carry a user name or password; use the field for the credential');
      const reason = refuseHost(url.hostname);
      if (reason !== null) throw refuse(`Pailou may not connect to ${url.hostname}: ${reason}`);
      return url;
    },

    checkHost(host) {
      const reason = refuseHost(host);
      if (reason !== null && isIP(bare(host)) !== 0) throw new BlockedAddress(bare(host), reason);
      if (metadataNames.has(bare(host))) throw new BlockedAddress(bare(host), reason ?? '');
    },

    checkTarget(host) {
      const reason = refuseHost(host);
      if (reason !== null) throw new BlockedAddress(bare(host), reason);
    },

    pinned: options.pinned === true,

    refuseUnresolved(host) {
      throw new BlockedAddress(host, 'its name cannot be resolved here, so that its address behind the proxy cannot be checked');
    },

    lookup(hostname, wanted, callback) {
      resolveName(hostname, { ...wanted, all: true }, (error, found) => {
        if (error !== null) {
          callback(error, '');
          return;
        }
        const allowed = found.filter(({ address }) => rules.refuse(address) === null);
        const first = allowed[0];
        if (first === undefined) {
          const address = found[0]?.address ?? '';
          callback(new BlockedAddress(`${hostname} (${address})`, rules.refuse(address) ?? ''), '');
        } else if (wanted.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      });
    },
  };
}
