/** /api/config/apply and /api/config/export: the configuration as documents, all or nothing. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import { documentedKinds, documentFrame, documentKinds, documentSchema } from '../config/documents.ts';
import type { ConfigService } from '../config/service.ts';
import { exportDocuments } from '../config/export-documents.ts';
import { prunedRows, wantedRows } from '../config/wanted-rows.ts';
import { requireReferences } from './skill-references.ts';
import { skillSpec } from '../types/skill-spec.ts';
import type { ConfigChange } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import { givenLabels } from '../types/row-labels.ts';
import type { Json } from '../types/json.ts';
import type { ConfigRow } from '../types/resources.ts';
import { differences } from './differences.ts';
import { reachedTenants } from './reached-tenants.ts';
import { writerOf } from './writer.ts';

const applyBody = z.strictObject({
  documents: z.array(documentFrame).max(10_000).describe('References such as `${env:NAME}` are resolved by the sender.'),
  labels: givenLabels.optional().describe('Added to the labels of every document.'),
  prune: z
    .boolean()
    .default(false)
    .describe('Also delete the rows that carry all of `labels` and are not among the documents. Needs `labels`.'),
  dry_run: z.boolean().default(false).describe('Validate everything and answer with the plan; write nothing.'),
});

const difference = z.object({ path: z.string(), change: z.enum(['added', 'removed', 'changed']), before: z.unknown(), after: z.unknown() });
const plan = z.object({
  revision: z.int(),
  dry_run: z.boolean(),
  unchanged: z.int(),
  changes: z.array(
    z.object({
      action: z.enum(['create', 'update', 'delete']),
      kind: z.enum(documentKinds),
      name: z.string(),
      differences: z.array(difference).describe('Secrets are shown as ***: an update without a difference changes a secret.'),
      tenants: z
        .array(z.string())
        .optional()
        .describe(
          'Other tenants that have the row, before or after the change: `*` is every tenant. Absent for a row of your tenant alone.',
        ),
    }),
  ),
});

export function addConfigurationFiles(app: FastifyInstance, config: ConfigService): void {
  const tags = ['config'];
  const administrator = { access: 'administrator' as const };

  const shown = ({ kind, before, after }: ConfigChange, tenants: readonly string[]): z.output<typeof plan>['changes'][number] => {
    const view = (row: typeof before): Json | undefined => (row === null ? undefined : viewOf(config.mask(row)));
    const [one, other] = [view(before), view(after)];
    return {
      action: before === null ? 'create' : after === null ? 'delete' : 'update',
      kind: documentKinds[kind as keyof typeof documentKinds],
      name: (after ?? before)?.name ?? '',
      differences: one === undefined || other === undefined ? [] : [...differences(one, other)],
      ...(tenants.length === 0 ? {} : { tenants: [...tenants] }),
    };
  };

  app.post<{ Body: z.output<typeof applyBody> }>(
    '/api/config/apply',
    {
      config: { ...administrator, writes: documentedKinds },
      schema: {
        tags,
        summary: 'Make the configuration as the documents describe it: all or nothing',
        body: applyBody,
        response: { 200: plan },
      },
    },
    async (request: FastifyRequest<{ Body: z.output<typeof applyBody> }>, reply) => {
      const { tenant } = principalOf(request);
      const { documents, labels = {}, prune, dry_run: dryRun } = request.body;
      if (prune && Object.keys(labels).length === 0)
        throw new GatewayError('invalid_request', 'prune: needs labels, so that it deletes only rows of these files.', { param: 'prune' });
      const wanted = wantedRows(documents, tenant, labels);
      const removed = prune ? prunedRows(config, wanted, tenant, labels) : [];
      const beside = new Set(wanted.map(({ kind, name }) => `${kind} ${name}`));
      for (const { kind, name, spec } of wanted) {
        const parsed = kind === 'skill' ? skillSpec.safeParse(spec) : null;
        const before = config.row(tenant, kind, name)?.spec;
        if (parsed?.success === true) requireReferences(config, request, name, { spec: parsed.data, before, beside });
      }
      const reached = reachedTenants(config, tenant);
      const summary = `apply ${wanted.length} documents`;
      const { revision, changes, unchanged } = await config.apply(writerOf(request), wanted, { removed, summary, dryRun });
      const shownChanges = changes.map((change) => shown(change, reached(change)));
      return reply.header('x-pailou-revision', revision).send({ revision, dry_run: dryRun, unchanged, changes: shownChanges });
    },
  );

  app.get(
    '/api/config/export',
    {
      config: administrator,
      schema: {
        tags,
        summary: 'The configuration of your tenant as documents, secrets as ${env:…}',
        response: { 200: z.object({ documents: z.array(documentFrame), variables: z.array(z.string()) }) },
      },
    },
    async (request) => exportDocuments(config, principalOf(request).tenant),
  );

  app.get(
    '/api/config/schema',
    { config: { access: 'signed-in' }, schema: { tags, summary: 'The JSON Schema of one document' } },
    async () => documentSchema(),
  );
}

/** What a plan compares: everything that people write of a row. */
function viewOf({ spec, enabled, owner, labels }: ConfigRow): Json {
  return { spec: spec as Json, enabled, owner, ...(labels === undefined ? {} : { labels }) };
}
