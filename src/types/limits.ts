/** Types of limits and budgets. */
import type { Capability, Principal } from './access.ts';
import type { LimitSpec } from './limit-spec.ts';

/** The caller as limits count it. */
export interface Counted extends Pick<Principal, 'issuer' | 'subject' | 'roles' | 'client'> {
  /** The id of the key. Null or absent for a token. */
  readonly key?: string | null;
}

/** One limit as configured. */
export interface LimitRule {
  /** Unchanged as long as the same calls are counted. A changed amount alone keeps the count. */
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly spec: LimitSpec;
  /** Where the periods of its budget begin. */
  readonly timeZone: string;
  /** The sealed secret of its alerts, and the context that opens it. The `spec` holds a mask in its place. */
  readonly alertSecret?: { readonly sealed: { readonly $sealed: string }; readonly context: string };
}

/** The limits of one tenant, compiled for lookup. */
export interface LimitIndex {
  /** Every rule that counts a call of `caller` to a model or a tool. `deployments` are those that may answer. Returns one shared empty list when there is none. */
  find(
    caller: Counted,
    capability: Pick<Capability, 'kind' | 'name' | 'tags'>,
    deployments?: readonly { readonly provider?: { readonly name?: string } }[],
  ): readonly LimitRule[];
  readonly rules: readonly LimitRule[];
}
