/** The HTTP server of a worker: the calls of plain models. The primary process serves everything else, over the relay. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { isPlainCall, plainPaths } from '../application/plain-call.ts';
import type { CallServices } from '../application/services.ts';
import { addPlainCalls } from './calls-routes.ts';
import { lengthOf, takeBodyReservation } from './bodies/body-admission.ts';
import { isJsonObject } from '../types/json.ts';
import type { Relay } from './relay.ts';
import { createRequestAddresses } from './request-address.ts';
import { principalOf, snapshotOf } from './request-context.ts';
import { createServer, type ServerOptions } from './server.ts';

export interface WorkerServerOptions extends Omit<ServerOptions, 'control' | 'calls' | 'prepareTenant' | 'viewAs'> {
  readonly services: CallServices;
  readonly relay: Relay;
  /** False for a caller whose tenant the primary process must prepare first. */
  readonly isPrepared: (tenant: string) => boolean;
}

const json = /^application\/json\s*(;|$)/i;

/** A call that may be plain: its body decides. Cookies and other ways to sign in are for the primary process. */
function mayBePlain({ method, headers, url }: IncomingMessage, pathOf: (request: Pick<IncomingMessage, 'url'>) => string): boolean {
  if (method !== 'POST' || url === undefined) return false;
  if (headers.authorization === undefined && headers['x-api-key'] === undefined) return false;
  if (headers['content-encoding'] !== undefined || !json.test(headers['content-type'] ?? '')) return false;
  // Room for a body is asked for by its length.
  return (lengthOf({ headers }) ?? 0) > 0 && plainPaths.has(pathOf({ url }));
}

/** A server that is ready to take connections. */
export async function createWorkerServer({ services, relay, isPrepared, ...options }: WorkerServerOptions): Promise<FastifyInstance> {
  const addresses = createRequestAddresses(options.publicUrl);
  const app = await createServer({
    ...options,
    prepareTenant: null,
    viewAs: null,
    onUnadmitted(request, reply) {
      reply.hijack();
      relay.pass(request.raw, reply.raw);
    },
    control: () => {},
    calls(scope) {
      scope.addHook('preHandler', (request, reply, done) => {
        // The handler refuses it, with the error of any process.
        if (!isJsonObject(request.body)) return done();
        const { tenant } = principalOf(request);
        const view = snapshotOf(request).tenant(tenant);
        if (isPrepared(tenant) && isPlainCall(view, request.routeOptions.url ?? '', request.body)) return done();
        const bytes = request.jsonSource?.splice([]);
        // The primary process counts the body as its own from now on.
        takeBodyReservation(request)?.[Symbol.dispose]();
        reply.hijack();
        relay.pass(request.raw, reply.raw, bytes);
      });
      addPlainCalls(scope, services);
    },
  });
  const { server } = app;
  const route = (request: IncomingMessage, response: ServerResponse): void => {
    if (mayBePlain(request, (given) => addresses.rewrite(given))) app.routing(request, response);
    else relay.pass(request, response);
  };
  // In place of the framework, which would answer 404 to what it does not know.
  for (const event of ['request', 'checkContinue'] as const) server.removeAllListeners(event).on(event, route);
  return app;
}
