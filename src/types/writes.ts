/** Types of the decision about a write: the row, its writer, what it reaches and by which right. */
import type { Capability, Decision, GrantIndex } from './access.ts';
import type { Basis } from './basis.ts';
import type { Actor } from './config-store.ts';
import type { ConfigRow, ResourceKind } from './resources.ts';
import type { Team } from './team-spec.ts';

/** What a row of a plugin may act on beyond its own address. The plugin derives it from the options. */
export type PluginReach = 'program' | 'tools-of-others' | 'caller-identity';

interface ReachBase {
  /** Identifies the reached row or program, in the former and the new row. */
  readonly key: string;
  /** The field that references it. */
  readonly param: string;
}

/** A reach whose right stays valid when the row's owner changes. */
interface KeptReach extends ReachBase {
  /** The former basis for the same target, when it also applies to the new row. */
  readonly kept?: string;
}

/** Calls use the credential of a provider, and its owner pays for them. */
export interface ProviderReach extends KeptReach {
  readonly type: 'provider';
  readonly name: string;
  /** The vendor's own name of the model. */
  readonly model: string;
  /** Null for a missing provider, which the snapshot builder reports. */
  readonly thing: Capability | null;
  /** True when the provider's row offers this model to others than its owner. */
  readonly offered: boolean;
}

/** Limits and budgets count the calls of a provider at this price. */
export interface PriceReach extends KeptReach {
  readonly type: 'price';
  readonly name: string;
  readonly thing: Capability | null;
}

/** Pailou connects to this address from within its own network. */
export interface AddressReach extends KeptReach {
  readonly type: 'address';
  /** Why only an administrator may use the address. Null for an address that is not known to be private. */
  readonly refusal: string | null;
}

/** Gives other people a right on this. `thing` is null for a pattern, a tag, and a missing row. */
export interface GrantedReach extends ReachBase {
  readonly type: 'granted';
  readonly capability: string;
  readonly thing: Capability | null;
}

/** Uses a name or tag that a grant or a limit matches. For a limit: gives it up. */
export interface ReservedReach extends ReachBase {
  readonly type: 'reserved';
  readonly name: string;
  /** `grant "x"` or `limit "y"`. */
  readonly by: string;
}

/** Lets callers of the skill use what it names without rights of their own. */
export interface RunsAsReach extends ReachBase {
  readonly type: 'runs-as';
}

/** Other tenants use the row, before the write or after it. */
export interface SharedReach extends ReachBase {
  readonly type: 'shared';
}

/** Requires its right at each write, even when it is unchanged. */
export interface HostReach extends ReachBase {
  readonly type: PluginReach;
  readonly kind: string;
}

/** One target of a row, computed from the row and the rows of its tenant. */
export type Reach = ProviderReach | PriceReach | AddressReach | GrantedReach | ReservedReach | RunsAsReach | SharedReach | HostReach;

/** One row to write or delete, with everything that the decision needs. */
export interface RowWrite {
  readonly kind: ResourceKind;
  /** The stored row. Null for a new row. */
  readonly before: ConfigRow | null;
  /** The new row. Null for a deletion. The same as `before` when only the right to change the row is checked. */
  readonly after: ConfigRow | null;
  /** The row whose owner and tags count: the row itself, or the skill of a published version. */
  readonly thing: Capability;
  /** What the row before reaches and its writer must have a right to. */
  readonly left: readonly Reach[];
  /** For a key: the team of the service account that owns it. */
  readonly team?: Team | null;
  /** What the row after reaches. */
  readonly reaches: readonly Reach[];
}

/** With the basis of the row after. */
export type WriteDecision =
  | Extract<Decision, { readonly allowed: false }>
  | (Extract<Decision, { readonly allowed: true }> & { readonly basis: Basis });

/** The writer of a row. Every write of configuration has one. `decide` runs within the serialized write, with the rows and grants of that time. */
export interface Writer {
  readonly actor: Actor;
  /** True for the configuration file of the gateway, which alone changes the rows that it owns. */
  readonly isConfigurationFile?: boolean;
  /** The kinds of rows that the route declares. */
  readonly kinds: readonly ResourceKind[];
  decide(write: RowWrite, grants: GrantIndex): WriteDecision;
}
