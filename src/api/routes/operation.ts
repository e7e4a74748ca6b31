/** /livez, /readyz, /healthz, /metrics: for the operator's probes. They tell nothing about vendors or callers. */
import type { FastifyInstance } from 'fastify';
import type { ConfigService } from '../../config/service.ts';
import type { Database } from '../../storage/database.ts';
import type { LedgerWriter } from '../../storage/ledger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

export interface OperationServices {
  readonly config: ConfigService;
  readonly database: Database;
  readonly ledger: LedgerWriter;
  readonly metrics: Metrics;
  /** Turns true when the node is asked to stop: it is then no longer ready, but still alive. */
  readonly stopping: () => boolean;
}

export function addOperation(app: FastifyInstance, services: OperationServices): void {
  const config = { access: 'public' } as const;
  const tags = ['operation'];

  app.get('/livez', { config, schema: { tags, summary: 'The process runs' } }, async () => ({ status: 'ok' }));

  app.get(
    '/readyz',
    { config, schema: { tags, summary: 'This node can serve: database, migrations, configuration' } },
    async (_request, reply) => {
      const database = await services.database.ping().then(
        () => 'ok',
        () => 'unavailable',
      );
      const { revision, stale } = services.config.health();
      // With the database away the last good configuration still serves, so the node stays ready and says so.
      const ready = !services.stopping();
      return reply
        .code(ready ? 200 : 503)
        .send({ status: ready ? (database === 'ok' ? 'ok' : 'degraded') : 'stopping', database, revision, stale });
    },
  );

  app.get('/healthz', { config, schema: { tags, summary: 'The state of this node, for people' } }, async () => {
    const { revision, stale } = services.config.health();
    return {
      status: services.stopping() ? 'stopping' : stale ? 'degraded' : 'ok',
      revision,
      stale,
      problems: services.config.current().problems.length,
      ledger_pending: services.ledger.pending,
    };
  });

  app.get('/metrics', { config, schema: { tags, summary: 'Prometheus metrics' } }, async (_request, reply) => {
    const { contentType, text } = await services.metrics.render();
    return reply.header('content-type', contentType).send(text);
  });
}
