/** /livez, /readyz, /healthz for probes, without details about vendors or callers. /metrics is guarded. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ConfigService } from '../../config/service.ts';
import type { Database } from '../../storage/database.ts';
import type { LedgerWriter } from '../../storage/ledger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { createPromptAnswer } from '../../telemetry/prompt-answer.ts';
import type { Principal } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import { principalOf } from '../request-context.ts';

export interface OperationServices {
  readonly config: ConfigService;
  readonly database: Database;
  readonly ledger: LedgerWriter;
  readonly metrics: Metrics;
  /** Why nothing can be written, with the remedy; null when it can. */
  readonly unwritable: () => Promise<string | null>;
  /** The operator's own tenant. */
  readonly homeTenant: string;
  /** True once the node is asked to stop: not ready, but alive. */
  readonly stopping: () => boolean;
  /** True with the development identity service, where every caller can get an administrator's token. */
  readonly developmentIdentity: boolean;
  /** The token for /metrics; null restricts it to administrators of the operator's tenant. */
  readonly metricsToken: string | null;
}

/** Compares digests, so that timing reveals nothing, not even a length. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function requireToken(authorization: string | undefined, token: string): void {
  if (authorization === undefined)
    throw new GatewayError('token_missing', 'Send the metrics token of this gateway as Authorization: Bearer ….');
  if (!isSame(authorization, `Bearer ${token}`)) throw new GatewayError('token_invalid', 'This is not the metrics token of this gateway.');
}

/** Metrics name the models and vendors of all tenants. */
function requireTenant({ tenant }: Principal, homeTenant: string): void {
  if (tenant === homeTenant) return;
  throw new GatewayError(
    'permission_denied',
    'Metrics name the models of every tenant; they are for administrators of the tenant that runs this gateway, or for its metrics token (PAILOU_METRICS_TOKEN).',
  );
}

export function addOperation(app: FastifyInstance, services: OperationServices): void {
  const config = { access: 'public' } as const;
  const tags = ['operation'];
  const pinged = createPromptAnswer(async () => {
    await services.database.ping();
    return true;
  });

  app.get('/livez', { config, schema: { tags, summary: 'The process runs' } }, async () => ({ status: 'ok' }));

  app.get(
    '/readyz',
    { config, schema: { tags, summary: 'This node can serve: database, migrations, configuration, disk' } },
    async (_request, reply) => {
      const database = (await pinged().catch(() => null)) === null ? 'unavailable' : 'ok';
      const { revision, stale } = services.config.health();
      // With the database away the last good configuration serves, so the node stays ready and reports it.
      const reason = await services.unwritable();
      const serving = database === 'ok' ? 'ok' : 'degraded';
      const status = services.stopping() ? 'stopping' : reason === null ? serving : 'unwritable';
      return reply
        .code(status === serving ? 200 : 503)
        .send({ status, database, revision, stale, ...(status === 'unwritable' ? { reason } : {}) });
    },
  );

  app.get('/healthz', { config, schema: { tags, summary: 'The state of this node in detail' } }, async () => {
    const { revision, stale } = services.config.health();
    const reason = await services.unwritable();
    return {
      status: services.stopping() ? 'stopping' : reason !== null ? 'unwritable' : stale ? 'degraded' : 'ok',
      ...(reason === null ? {} : { reason }),
      revision,
      stale,
      problems: services.config.current().problems.length,
      ledger_pending: services.ledger.pending,
    };
  });

  const { homeTenant, metricsToken, developmentIdentity } = services;
  const access = metricsToken === null && !developmentIdentity ? 'administrator' : 'public';
  app.get('/metrics', { config: { access }, schema: { tags, summary: 'Prometheus metrics' } }, async (request, reply) => {
    if (metricsToken !== null) requireToken(request.headers.authorization, metricsToken);
    else if (access === 'administrator') requireTenant(principalOf(request), homeTenant);
    const { contentType, text } = await services.metrics.render();
    return reply.header('content-type', contentType).send(text);
  });
}
