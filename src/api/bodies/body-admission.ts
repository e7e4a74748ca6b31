/** Refuses requests before their body is read, wherever the body is not needed for the decision. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdmittedBody, WorkerBodies } from '../../cluster/worker-bodies.ts';
import { personKey } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import { type Arrival, arrivalDemandsOf, type Quota } from '../../quota/quota.ts';
import { snapshotOf } from '../request-context.ts';
import type { BodyBudget, BodyReservation } from './body-budget.ts';
import { tooLarge } from './read-body.ts';
import { createMinimumRate } from './minimum-rate.ts';

export interface BodyAdmission {
  readonly bodyBudget: BodyBudget;
  readonly slowBodySeconds: number;
  readonly quota: Pick<Quota, 'arrive'>;
  readonly bodyLimit: number;
  /** In a worker process: the primary process, which counts bodies for all. Absent: this process counts them itself. */
  readonly primary?: Pick<WorkerBodies, 'admit'> | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The reservation of the body; null without a body, and after it was handed over. */
    bodyReservation: BodyReservation | null;
    /** Counts the call in its limits until the body is complete. */
    bodyArrival: Pick<Arrival, 'leave'> | null;
    /** Aborted when the body arrives too slowly; null for small bodies. */
    bodySignal: AbortSignal | null;
  }
  interface FastifyContextConfig {
    /** True when each request calls a model, so that limits of all models count it. */
    callsModel?: boolean;
  }
}

/** Smaller bodies usually arrive with the headers: reading them costs less than refusing them. */
export const smallBytes = 16_384;
/** The body limit of anonymous callers in bytes. */
export const mostOfStrangers = 65_536;

export function hasBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Null when the request does not state its length. */
export function lengthOf({ headers }: Pick<FastifyRequest, 'headers'>): number | null {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length']) : null;
}

/** True for a body that usually arrives with its headers. */
function isSmall(request: FastifyRequest): boolean {
  const length = lengthOf(request);
  return length !== null && length <= smallBytes;
}

/** The key of callers that share one part of the budget. */
export function personOf({ principal, socket }: FastifyRequest): string {
  return principal === null ? `address\n${socket.remoteAddress ?? ''}` : personKey(principal);
}

/** Hands the reservation over to work that outlives the response. */
export function takeBodyReservation(request: FastifyRequest): BodyReservation | null {
  const reservation = request.bodyReservation;
  request.bodyReservation = null;
  return reservation;
}

/** The reservation for a body that the route reads itself. */
export function reservationOf(request: FastifyRequest): BodyReservation {
  if (request.bodyReservation === null) throw new GatewayError('invalid_request', 'The request has no body.');
  return request.bodyReservation;
}

/** Aborted when the caller leaves or sends too slowly. */
export function receivingSignal({ bodySignal }: FastifyRequest, caller: AbortSignal): AbortSignal {
  return bodySignal === null ? caller : AbortSignal.any([caller, bodySignal]);
}

function clientLeft(): GatewayError {
  return new GatewayError('client_closed_request', 'The caller left before the body was read.');
}

/** `unknown` answers requests to unknown addresses. */
export function addBodyAdmission(
  app: FastifyInstance,
  { bodyBudget, slowBodySeconds, quota, bodyLimit, primary }: BodyAdmission,
  unknown: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  app.decorateRequest('bodyReservation', null);
  app.decorateRequest('bodySignal', null);
  app.decorateRequest('bodyArrival', null);
  const rate = createMinimumRate(slowBodySeconds);
  app.addHook('onClose', async () => rate.close());

  const refuseTooLarge = (request: FastifyRequest, length: number): void => {
    // A form has its own limits and is read by its route.
    const isForm = request.headers['content-type']?.startsWith('multipart/form-data') === true;
    const limit = request.principal === null ? mostOfStrangers : isForm ? Infinity : bodyLimit;
    if (length > limit) throw tooLarge(limit);
  };

  const watch = (request: FastifyRequest, reply: FastifyReply): void => {
    const controller = new AbortController();
    const unwatch = rate.watch(request.raw, (error) => controller.abort(error));
    request.bodySignal = controller.signal;
    reply.raw.on('close', unwatch);
  };

  /** The body has its room: it is watched and asked for. */
  const receive = (request: FastifyRequest, reply: FastifyReply): void => {
    if (!isSmall(request)) watch(request, reply);
    if (request.headers.expect !== undefined) reply.raw.writeContinue();
  };

  const enter = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      const reservation = bodyBudget.enter(personOf(request));
      request.bodyReservation = reservation;
      reservation.reach(lengthOf(request) ?? 0);
      receive(request, reply);
      done();
    } catch (thrown) {
      done(thrown as Error);
    }
  };

  const enterCounted = (request: FastifyRequest, reply: FastifyReply, arrival: Arrival, done: (error?: Error) => void): void => {
    const { refuse, headers } = arrival;
    if (refuse === null) {
      request.bodyArrival = arrival;
      reply.raw.on('close', () => arrival.leave());
      return enter(request, reply, done);
    }
    const end = (): void => {
      reply.headers(headers);
      done(refuse());
    };
    if (!isSmall(request)) return end();
    // A small body that has arrived is read, so that the refusal names the model.
    setImmediate(() => (request.raw.complete && !reply.raw.closed ? enter(request, reply, done) : end()));
  };

  /** In a worker process. A small body that has arrived is not worth asking: its call asks for the same limits. */
  const enterWorker = (
    request: FastifyRequest,
    reply: FastifyReply,
    { admit }: Pick<WorkerBodies, 'admit'>,
    demands: ReturnType<typeof arrivalDemandsOf>,
    done: (error?: Error) => void,
  ): void => {
    const take = (admitted: AdmittedBody): void => {
      const { refused, headers } = admitted;
      if (reply.raw.closed) {
        admitted.free();
        return done(clientLeft());
      }
      if (refused !== null) {
        reply.headers(headers);
        return done(refused);
      }
      request.bodyReservation = { reach: () => {}, [Symbol.dispose]: () => admitted.free() };
      request.bodyArrival = admitted;
      receive(request, reply);
      done();
    };
    const ask = (): void => {
      admit({ person: personOf(request), bytes: lengthOf(request) ?? 0, demands })
        .then(take)
        .catch(done);
    };
    if (!isSmall(request)) ask();
    else if (demands === null) enter(request, reply, done);
    else setImmediate(() => (request.raw.complete && !reply.raw.closed ? enter(request, reply, done) : ask()));
  };

  app.addHook('preParsing', (request, reply, payload, done) => {
    if (!hasBody(request)) return done(null, payload);
    // The authentication may have taken longer than the client stayed. No later event would release what a body holds.
    if (reply.raw.closed) return done(clientLeft());
    if (request.is404) return unknown(request, reply);
    try {
      refuseTooLarge(request, lengthOf(request) ?? 0);
    } catch (thrown) {
      return done(thrown as Error);
    }
    const { principal } = request;
    const view =
      principal !== null && request.routeOptions.config.callsModel === true ? snapshotOf(request).tenant(principal.tenant) : null;
    const end = (error?: Error): void => (error === undefined ? done(null, payload) : done(error));
    if (primary !== undefined)
      return enterWorker(request, reply, primary, view === null || principal === null ? null : arrivalDemandsOf(view, principal), end);
    const arrival = view === null || principal === null ? null : quota.arrive(view, principal);
    if (arrival === null) enter(request, reply, end);
    else enterCounted(request, reply, arrival, end);
  });

  // Node would request the body before the caller is authenticated.
  app.server.on('checkContinue', (request, response) => app.routing(request, response));
}
