/** CORS for the calls: browser applications of other origins that the operator names. Cookies never count there. */
import type { FastifyInstance } from 'fastify';

export interface CorsOrigins {
  /** True for an `Origin` header of a web page that may call. */
  allows(origin: string): boolean;
  /** At least one origin is allowed. */
  readonly any: boolean;
  /** Every origin is allowed. */
  readonly all: boolean;
}

/** `origins`: as browsers write them, or `*` alone. */
export function createCorsOrigins(origins: readonly string[]): CorsOrigins {
  const listed = new Set(origins);
  const all = listed.has('*');
  return { any: listed.size > 0, all, allows: (origin) => all || listed.has(origin) };
}

/** The calls, and what MCP clients read before their first call. */
const served = /^\/(?:v1|mcp|\.well-known|oauth)(?:\/|$)/;

/** Headers that scripts may read. https://fetch.spec.whatwg.org/#http-access-control-expose-headers */
const exposed = [
  'x-request-id',
  'request-id',
  'x-pailou-revision',
  'x-pailou-deployment',
  'x-pailou-attempts',
  'x-pailou-trace-id',
  'x-pailou-warnings',
  'x-pailou-cache',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'retry-after',
  'mcp-session-id',
  'mcp-protocol-version',
  'www-authenticate',
  'etag',
].join(', ');

const preflightSeconds = 600;
const headerNames = /^[A-Za-z0-9-]+(?:\s*,\s*[A-Za-z0-9-]+)*$/;

/** Register it before the admission, so that refusals carry the headers too. */
export function addCrossOrigin(app: FastifyInstance, origins: CorsOrigins): void {
  app.decorate('corsOrigins', origins);
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (!origins.any || !served.test(request.url.split('?', 1)[0] ?? '')) return done();
    // Also on answers without the other headers: a cache must not give them to an origin that may call.
    if (!origins.all) reply.header('vary', 'origin');
    if (origin === undefined || !origins.allows(origin)) return done();
    reply.header('access-control-allow-origin', origins.all ? '*' : origin).header('access-control-expose-headers', exposed);
    const wanted = request.headers['access-control-request-method'];
    if (request.method !== 'OPTIONS' || wanted === undefined) return done();
    const headers = request.headers['access-control-request-headers'];
    if (headers !== undefined && headerNames.test(headers)) reply.header('access-control-allow-headers', headers);
    void reply
      .code(204)
      .header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE')
      .header('access-control-max-age', preflightSeconds)
      .send();
  });
}
