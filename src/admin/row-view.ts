/** A row as the control API shows it: secrets masked, names in snake case. */
import { z } from 'zod';
import { grantableKinds } from '../config/grant-reference.ts';
import { fileOwns, isFileOwned } from '../config/file-owned.ts';
import { rowLabels } from '../types/row-labels.ts';
import type { ConfigRow } from '../types/resources.ts';

export const rowView = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  owner: z.string().nullable(),
  revision: z.int().describe('Send it as If-Match: a write fails with 409 when the row has changed since.'),
  spec: z.record(z.string(), z.unknown()),
  created_at: z.string(),
  created_by: z.string(),
  updated_at: z.string(),
  updated_by: z.string(),
  approved_tags: z
    .array(z.string())
    .nullable()
    .optional()
    .describe('The tags that an administrator approved for the row; grants by pattern and by tag match these. Null: not approved.'),
  labels: rowLabels.optional(),
  locked: z.string().optional().describe('Why the row cannot be changed here: the configuration file of the gateway owns it.'),
  partial: z.literal(true).optional().describe('You may view the row but not manage it: spec contains only its public part.'),
});

/** `row` must already be masked. */
export function showRow(row: ConfigRow): z.output<typeof rowView> {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    owner: row.owner,
    revision: row.revision,
    spec: row.spec,
    created_at: row.createdAt,
    created_by: row.createdBy,
    updated_at: row.updatedAt,
    updated_by: row.updatedBy,
    ...(row.labels === undefined ? {} : { labels: row.labels }),
    ...(isFileOwned(row) ? { locked: fileOwns } : {}),
    ...((grantableKinds as readonly string[]).includes(row.kind)
      ? { approved_tags: row.approvedTags == null ? null : [...row.approvedTags] }
      : {}),
  };
}

/** A row as far as its reader may see it. */
export function showVisible({ row, partial }: { readonly row: ConfigRow; readonly partial: boolean }): z.output<typeof rowView> {
  return { ...showRow(row), ...(partial ? { partial: true as const } : {}) };
}
