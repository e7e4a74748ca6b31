/** What differs between two states of a row: the fields that people write, without ids, revisions and times. */
import type { Spec } from '../api/rows.ts';
import { type Difference, differencesOf } from './differences.ts';

export interface RowState {
  readonly name?: string;
  readonly revision?: number;
  readonly enabled?: boolean;
  readonly owner?: string | null;
  readonly spec?: Spec;
}

function written(row: RowState | null): Spec {
  if (row === null) return {};
  // Some entries of the audit are no rows, such as approved definitions.
  if (row.spec === undefined) return { ...row };
  const { name, enabled, owner, spec } = row;
  return { name, enabled, owner, ...spec };
}

export function rowDifferences(before: RowState | null, after: RowState | null): readonly Difference[] {
  return differencesOf(written(before), written(after));
}
