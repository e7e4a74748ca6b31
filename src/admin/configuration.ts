/** /api/config: the serving revision, the history, roll-back, and rows with problems. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { isAdministrator } from '../auth/decide.ts';
import { showRow } from '../config/shown-row.ts';
import type { ConfigService } from '../config/service.ts';
import type { NodeRegistry } from '../storage/node-registry.ts';
import type { ResourceKind } from '../types/resources.ts';
import { writerOf } from './writer.ts';

const revisions = z.object({
  revision: z.int(),
  database_revision: z.int().nullable(),
  stale: z.boolean(),
  nodes: z.array(
    z.object({
      id: z.string(),
      host: z.string().nullable(),
      version: z.string(),
      revision: z.int(),
      self: z.boolean(),
      started_at: z.string(),
      seen_ms_ago: z.int(),
    }),
  ),
});

/** All kinds except keys: a revoked key stays revoked. */
const restored = ['provider', 'model', 'skill', 'mcp', 'grant', 'limit', 'service', 'team'] as const satisfies readonly ResourceKind[];

const rollbackBody = z.strictObject({
  revision: z.int().min(0).describe('The revision whose configuration to restore, as a new revision.'),
  only: z
    .strictObject({ kind: z.enum(restored), name: z.string().min(1).max(300) })
    .optional()
    .describe('Restores this row alone, with the grants that were deleted with it.'),
});
const historyQuery = z.object({
  after: z
    .string()
    .regex(/^\d{1,15}(\.\d{1,9})?$/, 'a revision, or the `next` of the previous page')
    .optional()
    .describe('Changes of later revisions (with `order=newest`, of earlier ones); or the `next` of the previous page.'),
  order: z.enum(['oldest', 'newest']).default('oldest').describe('Which change comes first.'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

export function addConfiguration(app: FastifyInstance, config: ConfigService, nodes: NodeRegistry): void {
  const tags = ['config'];

  app.get(
    '/api/config/revision',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'The revision that each node serves, and the one in the database',
        description: 'A change has reached every node when all nodes serve the revision of the database.',
        response: { 200: revisions },
      },
    },
    async (request) => {
      const { revision, databaseRevision, stale } = config.health();
      const administrator = isAdministrator(principalOf(request));
      const now = Date.now();
      // Without the database this node still reports itself.
      const alive = await nodes.list().catch(() => []);
      return {
        revision,
        database_revision: databaseRevision,
        stale,
        nodes: alive.map((node) => ({
          id: node.id,
          // Host names are shown to administrators only.
          host: administrator ? node.host : null,
          version: node.version,
          revision: node.id === nodes.self ? revision : node.revision,
          self: node.id === nodes.self,
          started_at: new Date(node.startedAt).toISOString(),
          seen_ms_ago: Math.max(0, now - node.seenAt),
        })),
      };
    },
  );

  app.get(
    '/api/config/problems',
    { config: { access: 'administrator' }, schema: { tags, summary: 'Rows that could not be used; the rest serves' } },
    async (request) => {
      const { tenant } = principalOf(request);
      return { data: snapshotOf(request).problems.filter((problem) => problem.tenant === tenant) };
    },
  );

  app.get<{ Querystring: z.output<typeof historyQuery> }>(
    '/api/config/history',
    { config: { access: 'administrator' }, schema: { tags, summary: 'What changed, oldest or newest first', querystring: historyQuery } },
    async (request) => {
      const { tenant } = principalOf(request);
      const { order, limit } = request.query;
      const newestFirst = order === 'newest';
      const { after = newestFirst ? String(Number.MAX_SAFE_INTEGER) : '0' } = request.query;
      const [revision, sequence] = after.split('.').map(Number);
      const position = { after: revision ?? 0, ...(sequence === undefined ? {} : { afterSequence: sequence }) };
      const found = await config.history({ tenant, ...position, newestFirst, limit: limit + 1 });
      const entries = found.slice(0, limit);
      const last = entries.at(-1);
      return {
        data: entries.map((entry) => ({
          revision: entry.revision,
          at: entry.at,
          actor: config.people.show(entry.actor),
          kind: entry.kind,
          name: (entry.after ?? entry.before)?.name ?? null,
          before: entry.before === null ? null : showRow(config.mask(entry.before)),
          after: entry.after === null ? null : showRow(config.mask(entry.after)),
        })),
        next: found.length > limit && last !== undefined ? `${last.revision}.${last.sequence}` : null,
      };
    },
  );

  app.post<{ Body: z.output<typeof rollbackBody> }>(
    '/api/config/rollback',
    {
      config: { access: 'administrator', writes: restored },
      schema: { tags, summary: "Restore your tenant's configuration, or one row of it, as it was at a revision", body: rollbackBody },
    },
    async (request, reply) => {
      const { revision, changes } = await config.rollback(writerOf(request), request.body.revision, request.body.only);
      return reply.header('x-pailou-revision', revision).send({ revision, changes });
    },
  );
}
