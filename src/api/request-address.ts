/** Brings the address of a request to the one form that the routes know. */
import type { IncomingMessage } from 'node:http';

/** The path of the public address, without a trailing slash; empty for none. */
export function pathPrefix(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/+$/, '');
}

export interface RequestAddresses {
  /** Learns which parts may follow a name, such as `owner` in `/api/models/:name/owner`. */
  learn(route: string): void;
  /** The address for the router. Called for each request. */
  rewrite(request: Pick<IncomingMessage, 'url'>): string;
}

/** Rows whose names may hold slashes. */
const named = /^\/api\/(providers|models|limits|grants|teams|service-accounts)\/(?=.*\/)/;
/** Tools are called as their server names them. */
const tools = /^\/api\/mcp-servers\/[^/]+\/tools\/(?=.*\/)/;
const wellKnown = /^(\/\.well-known\/[a-z-]+)(\/.*)$/;
/** The files of a web application, to which a trailing slash matters. */
const application = /^\/console(?:\/|$)/;

export function createRequestAddresses(publicUrl: string): RequestAddresses {
  const prefix = pathPrefix(publicUrl);
  const suffixes = new Set<string>();

  const withoutPrefix = (path: string): string => {
    if (prefix === '') return path;
    if (path === prefix) return '/';
    if (path.startsWith(`${prefix}/`)) return path.slice(prefix.length);
    // RFC 8414 3.1 and RFC 9728 3.1 put the well-known part before the path of the resource.
    const [, known = '', rest = ''] = wellKnown.exec(path) ?? [];
    if (rest === prefix || rest.startsWith(`${prefix}/`)) return known + rest.slice(prefix.length);
    return path;
  };

  /** Encodes the slashes of a name, so that it is one part of the path. */
  const withName = (path: string): string => {
    const tool = tools.exec(path)?.[0];
    if (tool !== undefined) return tool + path.slice(tool.length).replaceAll('/', '%2F');
    const [start, collection] = named.exec(path) ?? [];
    if (start === undefined) return path;
    const parts = path.slice(start.length).split('/');
    const last = suffixes.has(`${collection}/${parts.at(-1)}`) ? parts.pop() : undefined;
    return `${start}${parts.join('%2F')}${last === undefined ? '' : `/${last}`}`;
  };

  return {
    learn(route) {
      const [, collection, suffix] = /^\/api\/([a-z-]+)\/:name\/([a-z-]+)$/.exec(route) ?? [];
      if (suffix !== undefined) suffixes.add(`${collection}/${suffix}`);
    },
    rewrite({ url = '/' }) {
      const end = url.indexOf('?');
      const given = end === -1 ? url : url.slice(0, end);
      let path = given.includes('//') ? given.replace(/\/{2,}/g, '/') : given;
      path = withoutPrefix(path);
      if (path.length > 1 && path.endsWith('/') && !application.test(path)) path = path.slice(0, -1);
      if (path.startsWith('/api/')) path = withName(path);
      return path === given ? url : path + (end === -1 ? '' : url.slice(end));
    },
  };
}
