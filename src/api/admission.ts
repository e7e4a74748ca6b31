/** The first steps of every request: id, snapshot, token, coarse permission. Synchronous for a cached token. */
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify';
import type { Credentials } from '../auth/credentials.ts';
import { holds, isAdministrator } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import { newOrderedId } from '../telemetry/ordered-id.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { RouteAccess } from './request-context.ts';
import { type ViewAs, viewAsHeader } from './view-as.ts';

const callerRequestId = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's request id when it is safe in logs and headers, else a new one. */
export function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && callerRequestId.test(given) ? given : newOrderedId();
}

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Refuses to become ready with a route that does not declare its access or the rows that it writes. */
export function requireDeclaredAccess(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const silent = routes.filter((route) => route.config?.access === undefined).map((route) => `${String(route.method)} ${route.url}`);
    const undecided = routes.filter(
      (route) => route.config?.writes === undefined && [route.method].flat().some((each) => writing.has(each)),
    );
    if (undecided.length > 0)
      throw new Error(
        `These routes do not declare which rows they write; add config.writes: ${undecided.map((route) => `${String(route.method)} ${route.url}`).join(', ')}`,
      );
    if (silent.length > 0) throw new Error(`These routes declare no access; add config.access: ${silent.join(', ')}`);
  });
}

/** Node silently keeps the first of two Authorization headers. Two identities in one request are an attack or a mistake. */
function refuseRepeatedAuthorization(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 13 && name.toLowerCase() === 'authorization') seen++;
  }
  if (seen > 1) throw new GatewayError('invalid_request', 'Send exactly one Authorization header.', { param: 'Authorization' });
}

/** Throws `permission_denied` unless the principal meets the route's access. */
export function checkRouteAccess(access: RouteAccess, principal: Principal): void {
  if (access === 'public' || access === 'signed-in') return;
  if (access === 'administrator') {
    if (isAdministrator(principal)) return;
    throw new GatewayError('permission_denied', 'Only administrators may do this.');
  }
  if (access.some((code) => holds(principal, code))) return;
  throw new GatewayError(
    'permission_denied',
    `Your token carries none of the permissions ${access.join(', ')}. Ask your administrator for it, then fetch a new token.`,
  );
}

function notForKeys(): GatewayError {
  return new GatewayError(
    'permission_denied',
    'A key opens the calls under /v1 and /mcp, nothing else. Use a token of your OAuth2 service here.',
  );
}

export interface AdmissionOptions {
  readonly credentials: Credentials;
  readonly config: Pick<ConfigService, 'hold' | 'current'>;
  /** As in ServerOptions. */
  readonly prepareTenant: ((tenant: string) => Promise<void> | null) | null;
  /** Null: callers may not see this process as another person. */
  readonly viewAs: ViewAs | null;
  /** Takes over a request that is not admitted here, before its body is read: another process may know more. Absent: it is refused. */
  readonly onUnadmitted?: ((request: FastifyRequest, reply: FastifyReply) => void) | undefined;
}

const mcpRoute = /^\/mcp(?:\/|$)/;

function forMcpAlone(): GatewayError {
  return new GatewayError('permission_denied', 'This token was issued to an MCP client and opens /mcp alone.');
}

export function addAdmission(app: FastifyInstance, { credentials, config, prepareTenant, viewAs, onUnadmitted }: AdmissionOptions): void {
  app.decorateRequest('principal', null);
  app.decorateRequest('viewer', null);
  app.decorateRequest('held', null);
  app.decorateRequest('activeRequest', null);
  app.decorateRequest('jsonSource', null);

  /** Null for a caller who sees the gateway as themselves. */
  const lookThrough = (
    request: FastifyRequest,
    viewer: Principal,
    admit: (person: Principal) => void,
    prepare: (person: Principal) => Promise<void> | null,
  ): Promise<void> | null => {
    if (request.headers[viewAsHeader] === undefined) return null;
    if (viewAs === null) throw new GatewayError('permission_denied', 'This process answers callers as themselves alone.');
    request.viewer = viewer;
    return viewAs(request, viewer).then((person) => {
      admit(person);
      return prepare(person) ?? undefined;
    });
  };

  app.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => {
    const held = config.hold();
    request.held = held;
    const route = request.is404 ? null : request.routeOptions.config;
    // `on`, not `once`: the event fires once anyway, and `once` costs twice as much.
    reply.raw.on('close', () => {
      request.held?.release();
      request.bodyReservation?.[Symbol.dispose]();
      // Minor collections keep what a finished request refers to, so that the bodies of calls would fill the old space. Calls read their body when they begin.
      request.jsonSource = null;
      if (route?.keys === true) request.body = undefined;
    });
    reply.header('x-request-id', request.id);
    reply.header('x-pailou-revision', held.snapshot.revision);
    // An unknown address answers 404 to every caller.
    const access = route === null ? 'public' : (route.access ?? 'administrator');
    if (access === 'public') return done();
    const prepare = ({ tenant }: Principal): Promise<void> | null =>
      prepareTenant !== null && route?.keys === true ? prepareTenant(tenant) : null;
    /** After a wait the call takes the configuration of now, unless its connection closed in the meantime. */
    const renew = (): void => {
      if (reply.raw.closed || config.current() === held.snapshot) return;
      const newer = config.hold();
      request.held = newer;
      held.release();
      reply.header('x-pailou-revision', newer.snapshot.revision);
    };
    const admit = (principal: Principal): void => {
      request.principal = principal;
      if (principal.credential === 'key' && route?.keys !== true) throw notForKeys();
      if (principal.surface === 'mcp' && !mcpRoute.test(request.routeOptions.url ?? '')) throw forMcpAlone();
      // A caller without any code is refused everything, existing or not.
      if (route?.decides !== true || principal.permissions.size === 0) checkRouteAccess(access, principal);
    };
    const refuse = (thrown: unknown): void => {
      if (onUnadmitted === undefined) done(thrown as Error);
      else if (!reply.raw.closed) onUnadmitted(request, reply);
    };
    try {
      refuseRepeatedAuthorization(request.raw.rawHeaders);
      const known = credentials.admit(request.headers, {
        snapshot: held.snapshot,
        address: request.socket.remoteAddress ?? '',
        method: request.method,
      });
      let pending: Promise<void> | null;
      if (known instanceof Promise) {
        pending = known.then((principal) => {
          admit(principal);
          return lookThrough(request, principal, admit, prepare) ?? prepare(principal) ?? undefined;
        });
      } else {
        admit(known);
        pending = lookThrough(request, known, admit, prepare) ?? prepare(known);
        if (pending === null) return done();
      }
      pending.then(renew).then(() => done(), refuse);
    } catch (thrown) {
      refuse(thrown);
    }
  });
}
