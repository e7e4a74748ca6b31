/** A row in the shape of the API: names in snake case. */
import type { RowLabels } from '../types/row-labels.ts';
import type { ConfigRow } from '../types/resources.ts';
import { fileOwns, isFileOwned } from './file-owned.ts';
import { grantableKinds } from './grant-reference.ts';

export interface ShownRow {
  id: string;
  name: string;
  enabled: boolean;
  owner: string | null;
  revision: number;
  spec: Record<string, unknown>;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
  approved_tags?: string[] | null;
  labels?: RowLabels;
  locked?: string;
}

/** `row` must already be masked. */
export function showRow(row: ConfigRow): ShownRow {
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
