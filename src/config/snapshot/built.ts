/** A snapshot with its parts. The next build shares every part that its changes do not touch. */
import type { GatewayError } from '../../types/errors.ts';
import type {
  KeyEntry,
  ModelEntry,
  Problem,
  ProviderEntry,
  ServiceAccountEntry,
  SkillEntry,
  Snapshot,
  TeamEntry,
  TenantView,
} from '../../types/snapshot.ts';
import { CompiledGrants } from '../grant-index.ts';
import type { Handle } from '../instances.ts';
import { noLimits } from '../limit-index.ts';
import { emptyMap, type PersistentMap } from '../persistent-map.ts';
import { RowSet } from '../row-set.ts';

export interface BuiltProblem extends Problem {
  readonly error: GatewayError;
}

export interface BuiltView extends TenantView {
  readonly providers: PersistentMap<ProviderEntry>;
  readonly models: PersistentMap<ModelEntry>;
  readonly skills: PersistentMap<SkillEntry>;
  readonly skillVersions: PersistentMap<SkillEntry>;
  readonly skillNames: PersistentMap<true>;
  readonly grants: CompiledGrants;
  readonly serviceAccounts: PersistentMap<ServiceAccountEntry>;
  readonly teams: PersistentMap<TeamEntry>;
}

/** When the first right of a model ends, in epoch milliseconds. */
export interface RightsEnd {
  readonly tenant: string;
  readonly model: string;
  readonly end: number;
}

export interface Built {
  readonly snapshot: Snapshot;
  readonly rows: RowSet;
  readonly views: PersistentMap<BuiltView>;
  /** By what was checked and the row (`problemKey`). */
  readonly problems: PersistentMap<readonly BuiltProblem[]>;
  /** The instances in use, by row (`rowKey`). */
  readonly handles: PersistentMap<Handle>;
  readonly keys: PersistentMap<KeyEntry>;
  /** By row. Models whose rights never end are left out. */
  readonly ends: PersistentMap<RightsEnd>;
  /** The time at which the next right ends, in epoch milliseconds; the snapshot is then rebuilt. */
  readonly until: number;
  /** The instances that this build made, and those that it no longer uses. */
  readonly added: readonly Handle[];
  readonly dropped: readonly Handle[];
}

export const emptyView: BuiltView = {
  providers: emptyMap(),
  models: emptyMap(),
  skills: emptyMap(),
  skillVersions: emptyMap(),
  mcpServers: new Map(),
  skillNames: emptyMap(),
  grants: CompiledGrants.none,
  serviceAccounts: emptyMap(),
  teams: emptyMap(),
  limits: noLimits,
};

export function emptyBuilt(): Built {
  const snapshot: Snapshot = { revision: 0, problems: [], tenant: () => emptyView, key: () => undefined, tenants: new Map() };
  return {
    snapshot,
    rows: RowSet.of([]),
    views: emptyMap(),
    problems: emptyMap(),
    handles: emptyMap(),
    keys: emptyMap(),
    ends: emptyMap(),
    until: Infinity,
    added: [],
    dropped: [],
  };
}
