/** Words of the decision about a write: what a row reaches beside itself, and who writes it. */
import type { Capability, Decision, GrantIndex } from './access.ts';
import type { Actor } from './config-store.ts';
import type { ConfigRow, ResourceKind } from './resources.ts';

/** What a kind of plugin may reach beyond the address of its own row; the plugin says so of its options. */
export const pluginReaches = ['program', 'tools-of-others'] as const;
export type PluginReach = (typeof pluginReaches)[number];

/** One thing that a row acts on beside itself, computed from the row and the rows of its tenant. `param` is the field that names it. */
export type Reach = { readonly param: string } & (
  | {
      /** Calls are sent with the credential of this provider, and paid by whoever pays it. */
      readonly type: 'provider';
      readonly name: string;
      /** The vendor's own name of the model. */
      readonly model: string;
      /** Null for a provider that is not there; the snapshot builder reports it. */
      readonly thing: Capability | null;
    }
  | {
      /** Takes, or for a limit gives up, a name or tag by which a grant or a limit reaches things. */
      readonly type: 'reserved';
      readonly name: string;
      /** `grant "x"` or `limit "y"`. */
      readonly by: string;
    }
  | {
      /** Lets callers of the skill use what it names without a right of their own. */
      readonly type: 'runs-as';
    }
  | { readonly type: PluginReach; readonly kind: string }
  | {
      /** Other people get a right on this. `thing` is null for a pattern, a tag, and what is not there. */
      readonly type: 'granted';
      readonly capability: string;
      readonly thing: Capability | null;
    }
);

/** One row that is to be written or deleted, with all that the decision needs to know about it. */
export interface RowWrite {
  readonly kind: ResourceKind;
  /** As it is stored. Null for a new row. */
  readonly before: ConfigRow | null;
  /** As it is to be. Null for a deletion; the same as `before` while only the right to touch the row is asked. */
  readonly after: ConfigRow | null;
  /** The thing whose owner and tags count: the row itself, or the skill that a published version belongs to. */
  readonly thing: Capability;
  readonly reaches: readonly Reach[];
}

/**
 * Who writes. Nothing is written to the configuration without one; it is made from a request in one place.
 * `decide` is asked within the turn of the write, with the rows and grants of that moment.
 */
export interface Writer {
  readonly actor: Actor;
  /** The kinds of rows that the route declares. */
  readonly kinds: readonly ResourceKind[];
  decide(write: RowWrite, grants: GrantIndex): Decision;
}
