/** Between the caller and their body: what can be refused without the body is refused before it is read. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { personKey } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Arrival, Quota } from '../../quota/quota.ts';
import { snapshotOf } from '../request-context.ts';
import type { BodyBudget, BodyReservation } from './body-budget.ts';
import { tooLarge } from './read-body.ts';
import { createMinimumRate } from './minimum-rate.ts';

export interface BodyAdmission {
  readonly bodyBudget: BodyBudget;
  readonly slowBodySeconds: number;
  readonly quota: Pick<Quota, 'arrive'>;
  readonly bodyLimit: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the body holds of the budget; null without a body, and once somebody else gives it back. */
    bodyReservation: BodyReservation | null;
    /** Until the body is there, of a call that limits count whatever it names. */
    bodyArrival: Pick<Arrival, 'leave'> | null;
    /** Aborted where the body comes too slowly; null for bodies that are too small for that. */
    bodySignal: AbortSignal | null;
  }
  interface FastifyContextConfig {
    /** Each request is a call of a model, so that limits of all models count it whatever it names. */
    callsModel?: boolean;
  }
}

/** Smaller bodies are mostly there with their headers: to read them costs less than to refuse them. */
export const smallBytes = 16_384;
/** Of callers of whom nothing is known. */
const mostOfStrangers = 65_536;

export function hasBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Null where the request does not tell. */
export function lengthOf({ headers }: Pick<FastifyRequest, 'headers'>): number | null {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length']) : null;
}

/** Who shares one part of the budget. */
export function personOf({ principal, socket }: FastifyRequest): string {
  return principal === null ? `address\n${socket.remoteAddress ?? ''}` : personKey(principal);
}

/** The reservation of the request, to be given back by somebody else: what goes on after the answer. */
export function takeBodyReservation(request: FastifyRequest): BodyReservation | null {
  const reservation = request.bodyReservation;
  request.bodyReservation = null;
  return reservation;
}

/** The reservation of a body that the route reads itself. */
export function reservationOf(request: FastifyRequest): BodyReservation {
  if (request.bodyReservation === null) throw new GatewayError('invalid_request', 'The request has no body.');
  return request.bodyReservation;
}

/** Aborted where the caller leaves or hardly sends anything. */
export function receivingSignal({ bodySignal }: FastifyRequest, caller: AbortSignal): AbortSignal {
  return bodySignal === null ? caller : AbortSignal.any([caller, bodySignal]);
}

/** `unknown` answers what is at no address. */
export function addBodyAdmission(
  app: FastifyInstance,
  { bodyBudget, slowBodySeconds, quota, bodyLimit }: BodyAdmission,
  unknown: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  app.decorateRequest('bodyReservation', null);
  app.decorateRequest('bodySignal', null);
  app.decorateRequest('bodyArrival', null);
  const rate = createMinimumRate(slowBodySeconds);
  app.addHook('onClose', async () => rate.close());

  const refuseTooLarge = (request: FastifyRequest, length: number): void => {
    // A form has limits of its own, and is read by who knows them.
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

  app.addHook('preParsing', (request, reply, payload, done) => {
    if (!hasBody(request)) return done(null, payload);
    if (request.is404) return unknown(request, reply);
    const length = lengthOf(request);
    const isSmall = length !== null && length <= smallBytes;
    const admit = (): void => {
      try {
        const reservation = bodyBudget.enter(personOf(request));
        request.bodyReservation = reservation;
        reservation.reach(length ?? 0);
        if (!isSmall) watch(request, reply);
        if (request.headers.expect !== undefined) reply.raw.writeContinue();
        done(null, payload);
      } catch (thrown) {
        done(thrown as Error);
      }
    };
    try {
      refuseTooLarge(request, length ?? 0);
    } catch (thrown) {
      return done(thrown as Error);
    }
    const { principal } = request;
    const arrival =
      principal === null || request.routeOptions.config.callsModel !== true
        ? null
        : quota.arrive(snapshotOf(request).tenant(principal.tenant), principal);
    if (arrival === null) return admit();
    const { refuse, headers } = arrival;
    if (refuse === null) {
      request.bodyArrival = arrival;
      reply.raw.on('close', () => arrival.leave());
      return admit();
    }
    const end = (): void => {
      reply.headers(headers);
      done(refuse());
    };
    if (!isSmall) return end();
    // A small one that is there already is read: then the call is refused with all that is known of it.
    setImmediate(() => (request.raw.complete ? admit() : end()));
  });

  // Node would ask for the body before anybody is known.
  app.server.on('checkContinue', (request, response) => app.routing(request, response));
}
