/** Builds the entries of shared rows for the receiving tenant, without the parts that only the owner's tenant may use. */
import type { Capability } from '../../types/access.ts';
import type { McpServerEntry, ModelEntry, SkillEntry, TenantView } from '../../types/snapshot.ts';
import { byAge, labelsInOrder } from '../mcp-labels.ts';
import type { PersistentMap } from '../persistent-map.ts';
import type { RowSet } from '../row-set.ts';
import { type SharedRow, sharedRows } from '../shared-rows.ts';
import { type BuiltView, emptyView } from './built.ts';

interface Entry {
  readonly capability: Capability;
}

/** Entries of tenants by the owner's entry, so that an unchanged one stays the same object over all revisions. */
const known = new WeakMap<Entry, Map<string, Entry>>();

function once<T extends Entry>(entry: T, tenant: string, make: (capability: Capability, owner: string) => T): T {
  let made = known.get(entry);
  if (made === undefined) known.set(entry, (made = new Map()));
  const found = made.get(tenant);
  if (found !== undefined) return found as T;
  const { kind, name, row, tenant: owner } = entry.capability;
  // No tags and no approval: patterns and tags of the tenant's grants and keys were not written with this row in mind.
  const capability = Object.freeze({ kind, name, tenant, owner: null, tags: [], ...(row === undefined ? {} : { row }), sharedBy: owner });
  const shared = make(capability, owner);
  made.set(tenant, shared);
  return shared;
}

/** Fallbacks name models of the owner's tenant. */
const sharedModel = (entry: ModelEntry, tenant: string): ModelEntry =>
  once(entry, tenant, (capability, sharedBy) => ({
    ...entry,
    capability,
    spec: { ...entry.spec, fallbacks: [], tags: [] },
    deployments: entry.deployments.map((deployment) => ({ ...deployment, sharedBy })),
  }));

/** A skill never brings rights of its owner's tenant: it runs with those of its caller. */
const sharedSkill = (entry: SkillEntry, tenant: string): SkillEntry =>
  once(entry, tenant, (capability) => {
    const { runsAs: _runsAs, ...rest } = entry;
    return { ...rest, capability, spec: { ...entry.spec, runs_as: 'caller', tags: [] } };
  });

function sharedServers(
  rows: RowSet,
  tenant: string,
  shared: readonly SharedRow[],
  views: PersistentMap<BuiltView>,
): readonly McpServerEntry[] {
  const servers = shared.filter(({ kind }) => kind === 'mcp');
  if (servers.length === 0) return [];
  // The tenant's own labels first: a shared server takes none from them.
  const labels = labelsInOrder([...[...rows.group('mcp', tenant).values()].toSorted(byAge), ...servers]);
  return servers.flatMap(({ name, tenant: owner }) => {
    const entry = views.get(owner)?.mcpServers.get(name);
    if (entry === undefined) return [];
    const label = labels.of.get(name) ?? null;
    const { label: _label, ...rest } = once(entry, tenant, (capability) => ({
      ...entry,
      capability,
      spec: { ...entry.spec, options: {}, tags: [] },
    }));
    return [label === name ? rest : { ...rest, label }];
  });
}

function withShared(rows: RowSet, views: PersistentMap<BuiltView>, tenant: string): TenantView {
  const own = views.get(tenant) ?? emptyView;
  const shared = sharedRows(rows, tenant);
  if (shared.length === 0) return own;
  const models = new Map<string, ModelEntry>();
  const skills = new Map<string, SkillEntry>();
  for (const { kind, name, tenant: owner } of shared) {
    const model = kind === 'model' ? views.get(owner)?.models.get(name) : undefined;
    const skill = kind === 'skill' ? views.get(owner)?.skills.get(name) : undefined;
    if (model !== undefined) models.set(name, sharedModel(model, tenant));
    if (skill !== undefined) skills.set(name, sharedSkill(skill, tenant));
  }
  const servers = sharedServers(rows, tenant, shared, views);
  return {
    ...own,
    models: own.models.with(models),
    skills: own.skills.with(skills),
    skillNames: own.skillNames.with([...skills.keys()].map((name) => [name, true] as const)),
    ...(servers.length === 0
      ? {}
      : {
          mcpServers: new Map([...own.mcpServers, ...servers.map((server) => [server.name, server] as const)]),
          ...(own.mcpRows === undefined ? {} : { mcpRows: [...own.mcpRows, ...servers.map(({ id, name }) => ({ id, name }))] }),
        }),
  };
}

/** The view of each tenant with what others share with it. Made when it is first asked for. */
export function viewsWithShared(rows: RowSet, views: PersistentMap<BuiltView>): (tenant: string) => TenantView {
  if (!rows.hasOffers) return (tenant) => views.get(tenant) ?? emptyView;
  const made = new Map<string, TenantView>();
  return (tenant) => {
    let view = made.get(tenant);
    if (view === undefined) made.set(tenant, (view = withShared(rows, views, tenant)));
    return view;
  };
}
