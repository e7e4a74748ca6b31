/**
 * The stop of a node. While it drains, it serves on and load balancers learn of it. Then it closes: it refuses new requests, and those in
 * progress finish. At the end the rest gets the error `shutting_down`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LiveList } from '../scheduling/live-list.ts';
import { GatewayError } from '../types/errors.ts';

export type ServerPhase = 'serving' | 'draining' | 'closing';

export interface Shutdown {
  phase(): ServerPhase;
  /** Not ready, but every request is served; each response asks its client for a new connection. */
  drain(): void;
  /** New requests are refused. Event streams that only listen end now, because they never finish. */
  close(): void;
  /** Ends all requests in progress with the error `shutting_down`. */
  endAll(): void;
  /** Requests whose response is not complete. */
  readonly inProgress: LiveList<FastifyRequest>;
}

const reason = (): GatewayError =>
  new GatewayError('shutting_down', 'This node is stopping. Send the request again; another node will answer.', { retryAfterSeconds: 1 });

export function createShutdown(): Shutdown {
  let phase: ServerPhase = 'serving';
  const inProgress = new LiveList<FastifyRequest>();
  const end = (request: FastifyRequest): void => request.activeRequest?.end(reason());
  return {
    phase: () => phase,
    drain() {
      if (phase === 'serving') phase = 'draining';
    },
    close() {
      phase = 'closing';
      // A long GET only listens, to MCP messages or to a background run. Its client opens the next one at another node.
      for (const { value: request } of inProgress.entries()) if (request.method === 'GET') end(request);
    },
    endAll() {
      for (const { value: request } of inProgress.entries()) end(request);
    },
    inProgress,
  };
}

/** Comes before the admission, so that a refused request costs no look-up. */
export function addShutdown(app: FastifyInstance, shutdown: Shutdown): void {
  const { inProgress } = shutdown;
  app.addHook('onRequest', (request, reply, done) => {
    const phase = shutdown.phase();
    if (phase !== 'serving') reply.header('connection', 'close');
    if (phase === 'closing') return done(reason());
    const entry = inProgress.add(request);
    // `on`, not `once`: the event fires once anyway, and `once` costs twice as much.
    reply.raw.on('close', () => inProgress.delete(entry));
    done();
  });
}
