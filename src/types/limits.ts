/** Words of limits and budgets: which rules count a call. */
import type { Capability, Principal } from './access.ts';
import type { LimitSpec } from './limit-spec.ts';

/** Whom a limit may count. */
export interface Counted extends Pick<Principal, 'issuer' | 'subject' | 'roles' | 'client'> {
  /** Null or left out: they came with a token. */
  readonly key?: string | null;
}

/** One limit as configured. */
export interface LimitRule {
  /** The same as long as the same calls are counted; another amount alone does not begin a new count. */
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly spec: LimitSpec;
}

/** The limits of one tenant, compiled for questions. */
export interface LimitIndex {
  /**
   * Every rule that counts a call of `caller` to a model or a tool; `deployments` are those that may answer it. The same empty list where
   * there is none.
   */
  find(
    caller: Counted,
    capability: Pick<Capability, 'kind' | 'name' | 'tags'>,
    deployments?: readonly { readonly provider?: { readonly name?: string } }[],
  ): readonly LimitRule[];
  readonly rules: readonly LimitRule[];
}
