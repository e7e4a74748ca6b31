/** Configuration as code: YAML documents of `apiVersion: pailou/v1`, one for each row. */
import { z } from 'zod';
import { type ResourceKind, resourceNames, resourceSpecs } from '../types/resources.ts';
import { givenLabels } from '../types/row-labels.ts';

/** The kinds of documents by kind of row. Keys are no part of a file: their secrets are shown once. */
export const documentKinds = {
  provider: 'Provider',
  model: 'Model',
  mcp: 'McpServer',
  skill: 'Skill',
  team: 'Team',
  service: 'ServiceAccount',
  grant: 'Grant',
  limit: 'Limit',
} as const satisfies Partial<Record<ResourceKind, string>>;

export type DocumentedKind = keyof typeof documentKinds;
export const documentedKinds = Object.keys(documentKinds) as readonly DocumentedKind[];

export const apiVersion = 'pailou/v1';

/** The frame of a document. The spec is checked by its kind. */
export const documentFrame = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.enum(documentKinds),
  metadata: z.strictObject({
    name: z.string().min(1).max(200),
    tenant: z.string().min(1).max(128).optional().describe('Must be the tenant of the caller. Left out: that tenant.'),
    labels: givenLabels.optional(),
    owner: z.string().nullable().optional().describe('The owner, as in GET /api/me. Left out: unchanged, or nobody for a new row.'),
  }),
  enabled: z.boolean().optional(),
  spec: z.record(z.string(), z.unknown()),
});

export type ConfigDocument = z.output<typeof documentFrame>;

export const kindOf = ({ kind }: Pick<ConfigDocument, 'kind'>): DocumentedKind =>
  documentedKinds.find((each) => documentKinds[each] === kind) ?? 'provider';

/** The JSON Schema of one document of any kind, for editors. */
export function documentSchema(): unknown {
  const perKind = documentedKinds.map((kind) =>
    documentFrame.extend({
      kind: z.literal(documentKinds[kind]),
      metadata: documentFrame.shape.metadata.extend({ name: resourceNames[kind] }),
      spec: resourceSpecs[kind],
    }),
  );
  return z.toJSONSchema(z.union(perKind), { io: 'input', unrepresentable: 'any' });
}
