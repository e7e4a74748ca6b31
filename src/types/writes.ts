/** Words of the decision about a write: what a row reaches beside itself, who writes it, and by what right. */
import type { Capability, Decision, GrantIndex } from './access.ts';
import type { Basis } from './basis.ts';
import type { Actor } from './config-store.ts';
import type { ConfigRow, ResourceKind } from './resources.ts';

/** What a row of a plugin's kind may act on beyond the address that it names; the plugin says so of its options. */
export type PluginReach = 'program' | 'tools-of-others' | 'caller-identity';

interface ReachBase {
  /** The same for the same thing in the row before and the row after. */
  readonly key: string;
  /** The field that names it. */
  readonly param: string;
}

/** What a row keeps through the changes of its owner, once it had a right to it. */
interface KeptReach extends ReachBase {
  /** The basis that the row before had for the same thing, if it holds for the row after. */
  readonly kept?: string;
}

/** Calls are sent with the credential of a provider, and paid by its owner. */
export interface ProviderReach extends KeptReach {
  readonly type: 'provider';
  readonly name: string;
  /** The vendor's own name of the model. */
  readonly model: string;
  /** Null for a provider that is not there; the snapshot builder reports it. */
  readonly thing: Capability | null;
  /** Whether the provider's row lets others than its owner have this model. */
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
  /** Why only an administrator may name it; null for an address that is not known to be private. */
  readonly refusal: string | null;
}

/** Other people get a right on this. `thing` is null for a pattern, a tag, and what is not there. */
export interface GrantedReach extends ReachBase {
  readonly type: 'granted';
  readonly capability: string;
  readonly thing: Capability | null;
}

/** Takes, or for a limit gives up, a name or tag by which a grant or a limit reaches things. */
export interface ReservedReach extends ReachBase {
  readonly type: 'reserved';
  readonly name: string;
  /** `grant "x"` or `limit "y"`. */
  readonly by: string;
}

/** Lets callers of the skill use what it names without a right of their own. */
export interface RunsAsReach extends ReachBase {
  readonly type: 'runs-as';
}

/** Its right is needed at each write, also when nothing about it changes. */
export interface HostReach extends ReachBase {
  readonly type: PluginReach;
  readonly kind: string;
}

/** One thing that a row acts on beside itself, computed from the row and the rows of its tenant. */
export type Reach = ProviderReach | PriceReach | AddressReach | GrantedReach | ReservedReach | RunsAsReach | HostReach;

/** One row that is to be written or deleted, with all that the decision needs to know about it. */
export interface RowWrite {
  readonly kind: ResourceKind;
  /** As it is stored. Null for a new row. */
  readonly before: ConfigRow | null;
  /** As it is to be. Null for a deletion; the same as `before` while only the right to touch the row is asked. */
  readonly after: ConfigRow | null;
  /** The thing whose owner and tags count: the row itself, or the skill that a published version belongs to. */
  readonly thing: Capability;
  /** What the row before reaches and its writer must be allowed to touch. */
  readonly left: readonly Reach[];
  /** What the row after reaches. */
  readonly reaches: readonly Reach[];
}

/** With what the row after rests on. */
export type WriteDecision =
  | Extract<Decision, { readonly allowed: false }>
  | (Extract<Decision, { readonly allowed: true }> & { readonly basis: Basis });

/**
 * Who writes. Nothing is written to the configuration without one; it is made from a request in one place.
 * `decide` is asked within the turn of the write, with the rows and grants of that moment.
 */
export interface Writer {
  readonly actor: Actor;
  /** The kinds of rows that the route declares. */
  readonly kinds: readonly ResourceKind[];
  decide(write: RowWrite, grants: GrantIndex): WriteDecision;
}
