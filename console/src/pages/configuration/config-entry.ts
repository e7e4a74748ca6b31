/** One change of one row, as the history of the configuration has it. */
import type { RowState } from '../../components/row-differences.ts';

export interface ConfigEntry {
  readonly revision: number;
  readonly at: string;
  readonly actor: string;
  readonly kind: 'provider' | 'model' | 'skill' | 'mcp' | 'grant' | 'limit' | 'key' | 'service' | 'team';
  readonly name: string;
  readonly before: RowState | null;
  readonly after: RowState | null;
}

export function actOf({ before, after }: ConfigEntry): 'created' | 'changed' | 'deleted' {
  if (before === null) return 'created';
  return after === null ? 'deleted' : 'changed';
}
