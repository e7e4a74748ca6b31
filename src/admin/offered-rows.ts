/** GET /api/shared: what other tenants share with this one. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { modelFacts } from '../api/routes/model-facts.ts';
import type { ConfigService } from '../config/service.ts';
import { isGranted, offersTo, ownHasName, type SharedRow } from '../config/shared-rows.ts';
import { capabilityKinds } from '../types/access.ts';
import type { ModelEntry, TenantView } from '../types/snapshot.ts';
import { pageOf, pageQuery } from './paging.ts';

const sharedQuery = pageQuery.extend({
  kind: z.enum(capabilityKinds).optional().describe('Only what is of this kind.'),
});

const states = ['available', 'hidden', 'unavailable'] as const;

const sharedView = z.object({
  capability: z.string().describe('As grants name it, such as model/gpt.'),
  kind: z.enum(capabilityKinds),
  name: z.string(),
  tenant: z.string().describe('The tenant that owns it.'),
  description: z.string(),
  state: z
    .enum(states)
    .describe('hidden: another row has the name, see reason. unavailable: its owner disabled it, or its configuration is not valid.'),
  reason: z.string().nullable(),
  hidden_by: z.string().nullable().describe('The tenant of the row that has the name, yours or another one; null unless hidden.'),
  granted: z.boolean().describe('Whether a grant of your tenant names it. Without one nobody of your tenant may call it.'),
  operations: z.array(z.string()).optional().describe('Of a model.'),
  prices: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .describe('Of a model: the prices by which calls are booked in your tenant.'),
});
const sharedList = z.object({ data: z.array(sharedView), next: z.string().nullable() });
type Shown = z.output<typeof sharedView>;

/** The entry of the row in the view; undefined when another row has the name, or when it cannot be used. */
function entryOf({ kind, name, id }: SharedRow, view: TenantView) {
  const entries = { model: view.models, skill: view.skills, mcp: view.mcpServers }[kind];
  const entry = entries.get(name);
  return entry?.capability.row === id ? entry : undefined;
}

function factsOf(entry: ModelEntry): Pick<Shown, 'operations' | 'prices'> {
  const { prices = [] } = modelFacts(entry);
  return { operations: entry.spec.operations, prices: prices.map((each) => ({ ...each })) };
}

function stateOf(row: SharedRow, view: TenantView, own: string | null): Pick<Shown, 'state' | 'reason' | 'hidden_by'> {
  if (own !== null)
    return { state: 'hidden', reason: `Your tenant has a ${row.kind} of its own named "${row.name}", which comes first.`, hidden_by: own };
  if (entryOf(row, view) !== undefined) return { state: 'available', reason: null, hidden_by: null };
  const entries = { model: view.models, skill: view.skills, mcp: view.mcpServers }[row.kind];
  const other = entries.get(row.name)?.capability.sharedBy;
  if (other !== undefined)
    return {
      state: 'hidden',
      reason: `The tenant "${other}" shares a ${row.kind} of the same name, which your tenant had first.`,
      hidden_by: other,
    };
  return { state: 'unavailable', reason: 'Its owner disabled it, or its configuration is not valid.', hidden_by: null };
}

export function addShared(app: FastifyInstance, config: ConfigService): void {
  app.get<{ Querystring: z.output<typeof sharedQuery> }>(
    '/api/shared',
    {
      config: { access: 'administrator' },
      schema: {
        tags: ['access'],
        summary: 'What other tenants share with yours',
        description:
          'Models, skills and MCP servers that you can grant by name as your own. Their owners alone change them. A row of your own with the same name comes first.',
        querystring: sharedQuery,
        response: { 200: sharedList },
      },
    },
    async (request) => {
      const { tenant } = principalOf(request);
      const view = snapshotOf(request).tenant(tenant);
      const rows = config.rowSet();
      const wanted = request.query.kind;
      const keyOf = (row: SharedRow): string => `${row.kind}/${row.name} ${row.tenant}`;
      const offers = [...offersTo(rows, tenant)]
        .filter(({ kind }) => wanted === undefined || kind === wanted)
        .toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
      const page = pageOf(offers, keyOf, request.query);
      const data = page.data.map((row): Shown => {
        const { kind, name } = row;
        const model = kind === 'model' && entryOf(row, view) !== undefined ? view.models.get(name) : undefined;
        return {
          capability: `${kind}/${name}`,
          kind,
          name,
          tenant: row.tenant,
          description: typeof row.spec['description'] === 'string' ? row.spec['description'] : '',
          ...stateOf(row, view, ownHasName(rows, tenant, row) ? tenant : null),
          granted: isGranted(rows, tenant, row),
          ...(model === undefined ? {} : factsOf(model)),
        };
      });
      return { data, next: page.next };
    },
  );
}
