/** What a limit counts, as a list of amounts. */
import type { Spec } from '../../api/rows.ts';

export interface LimitSpec extends Spec {
  readonly subject_type: 'tenant' | 'team' | 'role' | 'user' | 'client' | 'key';
  readonly subject: string;
  readonly capability: string;
  readonly requests_per_minute?: number;
  readonly tokens_per_minute?: number;
  readonly concurrent_calls?: number;
  readonly expires_at?: string | null;
  readonly spend?: {
    readonly currency: string;
    readonly per_day?: string | number;
    readonly per_week?: string | number;
    readonly per_month?: string | number;
    readonly total?: string | number;
  };
}

const counted = ['requests_per_minute', 'tokens_per_minute', 'concurrent_calls'] as const;
const spent = ['per_day', 'per_week', 'per_month', 'total'] as const;

export interface Amount {
  readonly key: (typeof counted)[number] | (typeof spent)[number];
  readonly amount: number;
  /** Null for a number of things. */
  readonly currency: string | null;
}

export function amountsOf(spec: LimitSpec): readonly Amount[] {
  const { spend } = spec;
  return [
    ...counted.flatMap((key) => (spec[key] === undefined ? [] : [{ key, amount: spec[key], currency: null }])),
    ...spent.flatMap((key) => (spend?.[key] === undefined ? [] : [{ key, amount: Number(spend[key]), currency: spend.currency }])),
  ];
}
