/** A row that is being edited. */
import type { Spec } from '../api/rows.ts';

export interface Draft {
  readonly name: string;
  readonly enabled: boolean;
  readonly spec: Spec;
}
