/** A row as the control API shows it: secrets masked, names in snake case. */
import { z } from 'zod';
import { showRow } from '../config/shown-row.ts';
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

/** A row as far as its reader may see it. */
export function showVisible({ row, partial }: { readonly row: ConfigRow; readonly partial: boolean }): z.output<typeof rowView> {
  return { ...showRow(row), ...(partial ? { partial: true as const } : {}) };
}
