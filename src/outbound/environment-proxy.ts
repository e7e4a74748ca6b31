/** HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY: the proxy of an address, as curl and Go read these variables. */
import { BlockList, isIP } from 'node:net';
import { type ProxyServer, proxyForm, readProxy } from '../types/proxy.ts';

/** The proxy for an origin such as `https://api.example.com`; null for a direct connection. */
export type ProxyChoice = (origin: string) => ProxyServer | null;

export const direct: ProxyChoice = () => null;

interface Exception {
  matches(host: string, port: string): boolean;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function contains(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || contains(loopback, host);
}

/** One entry of NO_PROXY: a host with everything below it, an address, or a range, each with an optional port. Undefined for one that is malformed. */
function readException(text: string): Exception | undefined {
  if (text === '*') return { matches: () => true };
  const range = /^\[?([0-9a-fA-F.:]+)\]?\/(\d{1,3})$/.exec(text);
  if (range !== null) {
    const [, address = '', bits] = range;
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return undefined;
    const list = new BlockList();
    list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
    return { matches: (host) => contains(list, host) };
  }
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isAddress = isIP(text) !== 0;
  const name = (isAddress ? text : (bracketed ?? plain))
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  if (name === '') return undefined;
  const wanted = isAddress ? '' : port;
  return { matches: (host, at) => (wanted === '' || wanted === at) && (host === name || host.endsWith(`.${name}`)) };
}

/** `fault` is called with the variable and what is wrong with it. Small letters take precedence, as in curl. */
export function readEnvironmentProxies(env: NodeJS.ProcessEnv, fault: (name: string, what: string) => void): ProxyChoice {
  const variable = (name: string): [string, string] | undefined => {
    for (const each of [name.toLowerCase(), name]) {
      const value = env[each]?.trim();
      if (value !== undefined && value !== '') return [each, value];
    }
    return undefined;
  };
  const proxy = (name: string): ProxyServer | null => {
    const found = variable(name) ?? variable('ALL_PROXY');
    if (found === undefined) return null;
    const read = readProxy(found[1]);
    if (read === undefined) fault(found[0], `names no proxy; it must be ${proxyForm}`);
    return read ?? null;
  };
  const http = proxy('HTTP_PROXY');
  const https = proxy('HTTPS_PROXY');
  const exceptions: Exception[] = [];
  const [name, list] = variable('NO_PROXY') ?? ['', ''];
  for (const entry of list.split(/[\s,]+/).filter((each) => each !== '')) {
    const exception = readException(entry);
    if (exception === undefined)
      fault(name, `holds "${entry.slice(0, 100)}"; write hosts, addresses or ranges such as .internal, 10.0.0.0/8`);
    else exceptions.push(exception);
  }
  if (http === null && https === null) return direct;
  return (origin) => {
    const url = new URL(origin);
    const used = url.protocol === 'https:' ? https : http;
    if (used === null) return null;
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    // A server on this machine is never behind the company's proxy.
    return isLoopback(host) || exceptions.some((each) => each.matches(host, port)) ? null : used;
  };
}
