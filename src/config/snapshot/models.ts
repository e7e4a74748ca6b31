/** Models of a snapshot: each is made again when its row, a provider that it names, or a grant that it rests on has changed. */
import { createHash } from 'node:crypto';
import type { PluginRegistry } from '../../plugins/registry.ts';
import { GatewayError } from '../../types/errors.ts';
import type { ModelCatalogue } from '../../types/known-model.ts';
import { type ConfigRow, type ModelSpec, type ProbeSpec, type ResourceKind, resourceNames } from '../../types/resources.ts';
import type { Deployment, ModelEntry, ProviderEntry } from '../../types/snapshot.ts';
import { probedOperations } from '../../types/wire-format.ts';
import { cataloguedFacts } from '../catalogued-facts.ts';
import { chatFormatFor } from '../chat-format.ts';
import { type DeploymentRights, deploymentRights, rightsEnd } from '../deployment-rights.ts';
import { fallbackFaults } from '../fallbacks.ts';
import type { PersistentMap } from '../persistent-map.ts';
import { capabilityOfRow } from '../row-capability.ts';
import { namedKey } from '../row-references.ts';
import { sharedRow } from '../shared-rows.ts';
import { invalidBySchema, unknownName } from '../validation-errors.ts';
import { type BuildEdit, parseOnce, rowKey } from './build-edit.ts';
import { namesOf, type TenantChanges } from './changed-names.ts';

export interface ModelParts {
  readonly registry: PluginRegistry;
  readonly catalogue: ModelCatalogue;
}

/** Throws `configuration_invalid` for a name that is reserved; such rows are older than the reservation. */
export function requireName(kind: 'model' | 'mcp', name: string): void {
  const checked = resourceNames[kind].safeParse(name);
  if (!checked.success) throw invalidBySchema(checked.error, ['name']);
}

/** Changed models, and those that refer to a changed provider or grant. */
function affectedModels(edit: BuildEdit, tenant: string, changes: TenantChanges): ReadonlySet<string> {
  const names = namesOf(changes, 'model');
  for (const name of changes.expired) names.add(name);
  const addUsers = (kind: ResourceKind, name: string): void => {
    for (const row of edit.rows.referring(tenant, namedKey(kind, name))) if (row.kind === 'model') names.add(row.name);
  };
  for (const name of namesOf(changes, 'provider')) addUsers('provider', name);
  for (const { name } of changes.differences.get('grant') ?? []) addUsers('grant', name);
  return names;
}

function modelOf(
  edit: BuildEdit,
  row: ConfigRow,
  providers: ReadonlyMap<string, ProviderEntry>,
  { registry, catalogue }: ModelParts,
): ModelEntry {
  const { rows, now } = edit;
  requireName('model', row.name);
  const spec = parseOnce('model', row.spec);
  if (registry.instance('strategy', spec.strategy) === undefined) {
    const known = registry.list('strategy').map((each) => each.kind);
    throw unknownName('strategy', spec.strategy, known, 'spec.strategy');
  }
  const rights = (index: number): DeploymentRights =>
    deploymentRights(row, spec.deployments[index] as ModelSpec['deployments'][number], index, rows, now);
  const providerRows = rows.group('provider', row.tenant);
  const deployments = deploymentsOf({ catalogue, registry, rights }, row, spec, providers, providerRows, (error) =>
    edit.report('row', row, error),
  );
  return {
    name: row.name,
    capability: capabilityOfRow('model', row, spec.tags),
    spec,
    deployments,
    ...(spec.cache === undefined ? {} : { fingerprint: fingerprintOf(row, deployments, providerRows) }),
    created: Math.floor(Date.parse(row.createdAt) / 1000),
  };
}

/** Changed models, and every model that leads to one of them by its fallbacks. */
function leadingTo(edit: BuildEdit, tenant: string, changed: Iterable<string>): ReadonlySet<string> {
  const found = new Set(changed);
  for (const name of found) {
    for (const row of edit.rows.referring(tenant, namedKey('model', name))) if (row.kind === 'model') found.add(row.name);
  }
  return found;
}

export async function buildModels(
  edit: BuildEdit,
  tenant: string,
  changes: TenantChanges,
  before: PersistentMap<ModelEntry>,
  providers: ReadonlyMap<string, ProviderEntry>,
  parts: ModelParts,
): Promise<PersistentMap<ModelEntry>> {
  const rows = edit.rows.group('model', tenant);
  const made = new Map<string, ModelEntry | undefined>();
  for (const name of affectedModels(edit, tenant, changes)) {
    const at = { kind: 'model', tenant, name } as const;
    edit.clear('row', at);
    edit.ends.set(rowKey(at), undefined);
    made.set(name, undefined);
    const row = rows.get(name);
    if (row?.enabled !== true) continue;
    await edit.tolerate(row, () => {
      const entry = modelOf(edit, row, providers, parts);
      const end = rightsEnd(entry, row, edit.rows, edit.now);
      if (end !== Infinity) edit.ends.set(rowKey(row), { tenant, model: name, end });
      made.set(name, entry);
    });
  }
  const models = before.with(made);
  const isKnown = (name: string): boolean => rows.has(name) || sharedRow(edit.rows, tenant, 'model', name) !== undefined;
  for (const name of leadingTo(edit, tenant, made.keys())) {
    const at = { kind: 'model', tenant, name } as const;
    edit.clear('fallbacks', at);
    const model = models.get(name);
    if (model !== undefined) for (const error of fallbackFaults(model, models, isKnown)) edit.report('fallbacks', at, error);
  }
  return models;
}

/** A revision alone is not enough: a restored database counts on from an old one. */
function fingerprintOf(row: ConfigRow, deployments: readonly Deployment[], providers: ReadonlyMap<string, ConfigRow>): string {
  const hash = createHash('sha256');
  const used = new Set(deployments.map(({ provider }) => provider.name));
  for (const each of [row, ...[...used].toSorted().map((name) => providers.get(name))])
    hash.update(JSON.stringify([each?.id, each?.revision, each?.updatedAt]));
  return hash.digest('base64url');
}

/** A missing or broken provider costs the model that deployment only. */
function deploymentsOf(
  {
    catalogue,
    registry,
    rights,
  }: { readonly catalogue: ModelCatalogue; readonly registry: PluginRegistry; readonly rights: (index: number) => DeploymentRights },
  row: ConfigRow,
  spec: ModelSpec,
  providers: ReadonlyMap<string, ProviderEntry>,
  providerRows: ReadonlyMap<string, ConfigRow>,
  report: (error: GatewayError) => void,
): Deployment[] {
  const formatOf = ({ instance }: ProviderEntry) => registry.instance('format', instance.formats.chat ?? '')?.chat;
  return spec.deployments.flatMap((each, index) => {
    if (!each.enabled) return [];
    const provider = providers.get(each.provider);
    if (provider === undefined) {
      const providerRow = providerRows.get(each.provider);
      const param = `spec.deployments[${index}].provider`;
      if (providerRow === undefined) report(unknownName('provider', each.provider, providerRows.keys(), param));
      else if (providerRow.enabled)
        report(
          new GatewayError('configuration_invalid', `${param}: the provider "${each.provider}" cannot be used; see its own problem.`, {
            param,
          }),
        );
      return [];
    }
    const { use, price } = rights(index);
    if (price !== null) report(price);
    if (use !== null) {
      report(use);
      return [];
    }
    const priced = price === null ? each : { ...each, price: undefined };
    const facts = cataloguedFacts(catalogue, providerRows.get(each.provider), provider, priced, formatOf(provider));
    const able = provider.instance.prefill?.(each.model) !== undefined;
    if (each.prefill && !able) {
      const param = `spec.deployments[${index}].prefill`;
      const why = `${provider.kind} is not known to support prefill with ${each.model}; leave it out.`;
      report(new GatewayError('configuration_invalid', `${param}: ${why}`, { param }));
    }
    if ((each.think_tags ?? false) !== false && provider.instance.formats.chat !== 'openai') {
      const param = `spec.deployments[${index}].think_tags`;
      const why = `${provider.kind} separates the reasoning itself; leave it out.`;
      report(new GatewayError('configuration_invalid', `${param}: ${why}`, { param }));
    }
    const chatFormat = chatFormatFor(each, provider, index, report, facts.known);
    if (each.probe !== undefined) checkProbe(each.probe, spec, provider, index, report);
    const id = `${row.name}#${provider.name}/${each.model}`;
    const deployment: Deployment = {
      id,
      key: `${row.tenant} ${id}`,
      provider,
      model: each.model,
      weight: each.weight,
      tier: each.tier,
      ...facts,
      ...(chatFormat === undefined ? {} : { chatFormat }),
      alwaysStream: each.always_stream,
      prefill: each.prefill && able,
      limits: each.limits,
      ...(each.probe === undefined ? {} : { probe: each.probe }),
      ...(each.think_tags === undefined ? {} : { thinkTags: each.think_tags }),
    };
    return [deployment];
  });
}

/** Refuses a probe whose question the model cannot answer. */
function checkProbe(
  probe: ProbeSpec,
  { operations }: ModelSpec,
  provider: ProviderEntry,
  index: number,
  report: (error: GatewayError) => void,
): void {
  const param = `spec.deployments[${index}].probe.ask`;
  const fault = (why: string): void => report(new GatewayError('configuration_invalid', `${param}: ${why}`, { param }));
  if (probe.ask === 'models' && provider.instance.modelsAddress === undefined)
    fault(`a provider of kind ${provider.kind} has no list of models to probe; write "token", or leave the probe out.`);
  if (probe.ask === 'token' && !operations.some((each) => probedOperations.includes(each)))
    fault(`"token" can ask models that do ${probedOperations.join(', ')}, not ${operations.join(', ')}; write "models".`);
}
