/** Builds snapshots from rows. A build looks at changed rows and at those that depend on them; all else is shared with the snapshot before it. */
import type { PluginRegistry } from '../plugins/registry.ts';
import type { ModelCatalogue } from '../types/known-model.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { Snapshot } from '../types/snapshot.ts';
import type { InstanceFactory } from './instances.ts';
import { offeredTo, receiversOf } from './offers.ts';
import type { PersistentMap } from './persistent-map.ts';
import { grantedKey, namedKey } from './row-references.ts';
import type { RowDifference, RowSet } from './row-set.ts';
import { BuildEdit } from './snapshot/build-edit.ts';
import { type Built, type BuiltView, emptyView, type RightsEnd } from './snapshot/built.ts';
import { ChangedTenants, type TenantChanges } from './snapshot/changed-names.ts';
import { buildMcpServers } from './snapshot/mcp-servers.ts';
import { buildModels, type ModelParts } from './snapshot/models.ts';
import { buildProviders } from './snapshot/providers.ts';
import { buildGrants, buildKeys, buildLimits } from './snapshot/rules.ts';
import { buildServiceAccounts, buildTeams } from './snapshot/service-accounts.ts';
import { viewsWithShared } from './snapshot/shared-entries.ts';
import { buildSkills } from './snapshot/skills.ts';
import { alwaysUtc, type TimeZones } from './time-zones.ts';

export interface SnapshotBuilder {
  /** Never throws for a bad row: it is left out and listed under `problems`. The caller disposes of `added` when it does not use the result. */
  build(rows: RowSet, revision: number, previous: Built): Promise<Built>;
}

/** Rows of other tenants that name a row which is shared, or no longer shared, with them. */
function addReceivers(changed: ChangedTenants, { kind, name, before, after }: RowDifference, rows: RowSet, { views }: Built): void {
  const offerOf = (row: ConfigRow | undefined): string => (row === undefined ? '' : JSON.stringify(offeredTo(row)));
  if (before?.id === after?.id && offerOf(before) === offerOf(after)) return;
  const receivers = new Set([before, after].flatMap((row) => (row === undefined ? [] : receiversOf(row, views.keys()))));
  for (const tenant of receivers) {
    for (const id of new Set([before?.id, after?.id]))
      if (id !== undefined) for (const grant of rows.referring(tenant, grantedKey(id, ''))) changed.addFailed(tenant, 'grant', grant.name);
    for (const row of rows.referring(tenant, namedKey(kind, name))) changed.addFailed(tenant, row.kind, row.name);
  }
}

/** What needs another look: changed rows, rows with an instance that could not be made, and models of which a right has ended. */
function changedTenants(rows: RowSet, previous: Built, now: number): ChangedTenants {
  const changed = new ChangedTenants();
  for (const difference of rows.differences(previous.rows)) {
    changed.add(difference);
    addReceivers(changed, difference, rows, previous);
  }
  for (const problems of previous.problems.values())
    for (const { tenant, kind, name } of problems)
      if (kind === 'provider' || kind === 'skill' || kind === 'mcp') changed.addFailed(tenant, kind, name);
  if (previous.until <= now) for (const { tenant, model, end } of previous.ends.values()) if (end <= now) changed.addExpired(tenant, model);
  return changed;
}

async function viewOf(
  edit: BuildEdit,
  tenant: string,
  changes: TenantChanges,
  before: BuiltView,
  parts: ModelParts & { readonly timeZones: TimeZones },
): Promise<BuiltView> {
  const providers = await buildProviders(edit, tenant, changes, before.providers);
  const models = await buildModels(edit, tenant, changes, before.models, providers, parts);
  const skills = await buildSkills(edit, tenant, changes, before);
  const servers = await buildMcpServers(edit, tenant, changes, before);
  buildKeys(edit, tenant, changes);
  return {
    providers,
    models,
    ...skills,
    ...servers,
    serviceAccounts: buildServiceAccounts(edit, tenant, changes, before.serviceAccounts),
    teams: buildTeams(edit, tenant, changes, before.teams),
    grants: buildGrants(edit, tenant, changes, before.grants),
    limits: buildLimits(edit, tenant, changes, before.limits, parts.timeZones(tenant)),
  };
}

const hasRows = (rows: RowSet, tenant: string): boolean =>
  (['provider', 'model', 'skill', 'mcp', 'grant', 'limit', 'key', 'service', 'team'] as const).some(
    (kind) => rows.group(kind, tenant).size > 0,
  );

/** The problems are listed when they are first asked for. */
function snapshotOf(revision: number, { rows, views, keys, problems }: Pick<Built, 'rows' | 'views' | 'keys' | 'problems'>): Snapshot {
  let listed: Snapshot['problems'] | undefined;
  return Object.freeze({
    revision,
    get problems() {
      return (listed ??= [...problems.values()].flatMap((each) =>
        each.map(({ tenant, kind, name, message }) => ({ tenant, kind, name, message })),
      ));
    },
    tenant: viewsWithShared(rows, views),
    key: (id: string) => keys.get(id),
    tenants: views,
  });
}

export function createSnapshotBuilder(
  factory: InstanceFactory,
  registry: PluginRegistry,
  catalogue: ModelCatalogue,
  timeZones: TimeZones = alwaysUtc,
): SnapshotBuilder {
  const parts = { registry, catalogue, timeZones };
  return {
    async build(rows, revision, previous) {
      const now = Date.now();
      const edit = new BuildEdit(rows, previous, factory, now);
      const changedViews = new Map<string, BuiltView | undefined>();
      for (const [tenant, changes] of changedTenants(rows, previous, now)) {
        const view = await viewOf(edit, tenant, changes, previous.views.get(tenant) ?? emptyView, parts);
        changedViews.set(tenant, hasRows(rows, tenant) ? view : undefined);
      }
      const views = previous.views.with(changedViews);
      const problems = previous.problems.with(edit.problems);
      const keys = previous.keys.with(edit.keys);
      const ends = previous.ends.with(edit.ends);
      return {
        snapshot: snapshotOf(revision, { rows, views, keys, problems }),
        rows,
        views,
        problems,
        handles: previous.handles.with(edit.handles),
        keys,
        ends,
        until: soonest(ends),
        added: edit.added,
        dropped: edit.dropped,
      };
    },
  };
}

function soonest(ends: PersistentMap<RightsEnd>): number {
  let first = Infinity;
  for (const { end } of ends.values()) first = Math.min(first, end);
  return first;
}
