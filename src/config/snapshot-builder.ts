/** Builds snapshots from rows. Entries of unchanged rows are taken from the previous snapshot. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { PluginRegistry } from '../plugins/registry.ts';
import { maskSealed } from '../storage/secret-box.ts';
import type { ModelCatalogue } from '../types/known-model.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import {
  type ConfigRow,
  type ModelSpec,
  type ProbeSpec,
  type ResourceKind,
  resourceNames,
  type resourceSpecs,
} from '../types/resources.ts';
import type {
  Deployment,
  McpServerEntry,
  ModelEntry,
  Problem,
  ProviderEntry,
  SkillEntry,
  Snapshot,
  TenantView,
} from '../types/snapshot.ts';
import { probedOperations } from '../types/wire-format.ts';
import { chatFormatFor } from './chat-format.ts';
import { cataloguedFacts } from './catalogued-facts.ts';
import { type DeploymentRights, deploymentRights, isComplete, rightsEnd } from './deployment-rights.ts';
import { fallbackFaults } from './fallbacks.ts';
import { compileGrants } from './grant-index.ts';
import { requireBound } from './grant-targets.ts';
import { type Handle, type InstanceFactory, providerEntry } from './instances.ts';
import { invalidBySchema, unknownName } from './validation-errors.ts';
import { compileLimits, limitRule, noLimits } from './limit-index.ts';
import { parseSpec } from './parse-spec.ts';
import { capabilityOfRow } from './row-capability.ts';
import { byAge, mcpLabels } from './mcp-labels.ts';
import type { RowSet } from './row-set.ts';
import { runsAsSkill } from './runs-as.ts';
import { skillOf, versionedSkills } from './skill-versions.ts';
import { virtualFaults } from './virtual-servers.ts';
import type { TimeZones } from './time-zones.ts';

export interface BuiltProblem extends Problem {
  readonly error: GatewayError;
}

/** A snapshot with its parts, for the next build to reuse. */
export interface Built {
  readonly snapshot: Snapshot;
  readonly rows: RowSet;
  readonly problems: readonly BuiltProblem[];
  readonly handles: ReadonlyMap<string, Handle>;
  readonly views: ReadonlyMap<string, TenantView>;
  /** Models by row id and revision. */
  readonly models: ReadonlyMap<string, ModelEntry>;
  /** Models with a missing part that may return. */
  readonly partial: ReadonlySet<string>;
  /** The time at which the next right ends, in epoch milliseconds; the snapshot is then rebuilt. */
  readonly until: number;
}

const emptyView: TenantView = {
  models: new Map(),
  skills: new Map(),
  skillVersions: new Map(),
  mcpServers: new Map(),
  skillNames: new Set(),
  grants: { find: () => null },
  limits: noLimits,
  keys: [],
};

export function emptyBuilt(rows: RowSet): Built {
  const snapshot: Snapshot = { revision: 0, problems: [], tenant: () => emptyView, key: () => undefined, tenants: new Map() };
  return { snapshot, rows, problems: [], handles: new Map(), views: new Map(), models: new Map(), partial: new Set(), until: Infinity };
}

function withRunsAs(entry: SkillEntry, row: ConfigRow | undefined, rows: RowSet): SkillEntry {
  const runsAs = row === undefined ? null : runsAsSkill(row, rows);
  return runsAs === null ? entry : { ...entry, runsAs };
}

/** Throws `configuration_invalid` for a name that is reserved; such rows are older than the reservation. */
function requireName(kind: 'model' | 'mcp', name: string): void {
  const checked = resourceNames[kind].safeParse(name);
  if (!checked.success) throw invalidBySchema(checked.error, ['name']);
}

interface ParsedRow<K extends ResourceKind> {
  readonly row: ConfigRow;
  readonly spec: z.output<(typeof resourceSpecs)[K]>;
}

export interface SnapshotBuilder {
  /** Never throws for a bad row: it is left out and listed under `problems`. The caller releases new instances. */
  build(rows: RowSet, revision: number, previous: Built): Promise<Built>;
}

export function createSnapshotBuilder(
  factory: InstanceFactory,
  registry: PluginRegistry,
  catalogue: ModelCatalogue,
  timeZones: TimeZones,
): SnapshotBuilder {
  return {
    async build(rows, revision, previous) {
      const problems: BuiltProblem[] = [];
      const handles = new Map<string, Handle>();
      const models = new Map<string, ModelEntry>();
      const views = new Map<string, TenantView>();
      const partial = new Set<string>();
      const now = Date.now();
      const ends: number[] = [];

      const tolerate = async <T>(row: ConfigRow, work: () => T | Promise<T>): Promise<T | null> => {
        try {
          return await work();
        } catch (thrown) {
          const error = toGatewayError(thrown);
          problems.push({ tenant: row.tenant, kind: row.kind, name: row.name, message: error.message, error });
          return null;
        }
      };
      const keep = <H extends Handle>(handle: H): H => {
        handles.set(handle.key, handle);
        return handle;
      };

      for (const tenant of rows.tenants()) {
        const before = previous.views.get(tenant);
        const same = (kind: ResourceKind): boolean =>
          before !== undefined && previous.rows.group(kind, tenant) === rows.group(kind, tenant);

        const providers = new Map<string, ProviderEntry>();
        for (const row of rows.group('provider', tenant).values()) {
          if (!row.enabled) continue;
          await tolerate(row, async () => {
            parseSpec('provider', row.spec);
            const handle = keep(await factory.take('provider', row, previous.handles));
            providers.set(row.name, providerEntry(row, handle));
          });
        }

        const tenantModels = new Map<string, ModelEntry>();
        for (const row of rows.group('model', tenant).values()) {
          if (!row.enabled) continue;
          const key = `${row.id}@${row.revision}`;
          const known = previous.models.get(key);
          if (
            known !== undefined &&
            !previous.partial.has(key) &&
            known.deployments.every((each) => providers.get(each.provider.name)?.instance === each.provider.instance) &&
            isComplete(known, row, rows, now)
          ) {
            models.set(key, known);
            tenantModels.set(row.name, known);
            ends.push(rightsEnd(known, row, rows, now));
            continue;
          }
          await tolerate(row, () => {
            requireName('model', row.name);
            const spec = parseSpec('model', row.spec);
            if (registry.instance('strategy', spec.strategy) === undefined) {
              throw unknownName(
                'strategy',
                spec.strategy,
                registry.list('strategy').map((each) => each.kind),
                'spec.strategy',
              );
            }
            const rights = (index: number): DeploymentRights =>
              deploymentRights(row, spec.deployments[index] as ModelSpec['deployments'][number], index, rows, now);
            const scene = { catalogue, registry, rights };
            const deployments = deploymentsOf(scene, row, spec, providers, rows.group('provider', tenant), (error) =>
              problems.push({ tenant, kind: 'model', name: row.name, message: error.message, error }),
            );
            const entry: ModelEntry = {
              name: row.name,
              capability: capabilityOfRow('model', row, spec.tags),
              spec,
              deployments,
              ...(spec.cache === undefined ? {} : { fingerprint: fingerprintOf(row, deployments, rows.group('provider', tenant)) }),
              created: Math.floor(Date.parse(row.createdAt) / 1000),
            };
            ends.push(rightsEnd(entry, row, rows, now));
            if (!isComplete(entry, row, rows, now)) partial.add(key);
            models.set(key, entry);
            tenantModels.set(row.name, entry);
          });
        }

        for (const { name, error } of fallbackFaults(tenantModels, (other) => rows.group('model', tenant).has(other)))
          problems.push({ tenant, kind: 'model', name, message: error.message, error });

        const skillEntries = new Map<string, SkillEntry>();
        for (const row of rows.group('skill', tenant).values()) {
          if (!row.enabled) continue;
          await tolerate(row, async () => {
            const spec = parseSpec('skill', row.spec);
            if (!rows.group('model', tenant).has(spec.model))
              throw unknownName('model', spec.model, rows.group('model', tenant).keys(), 'spec.model');
            const handle = keep(await factory.take('skill', row, previous.handles));
            skillEntries.set(row.name, {
              name: row.name,
              capability: capabilityOfRow('skill', row, spec.tags),
              spec,
              instance: handle.instance,
              created: Math.floor(Date.parse(row.createdAt) / 1000),
            });
          });
        }

        const { live, versions: skillVersions, faults: skillFaults } = versionedSkills(skillEntries);
        const skills = new Map(
          [...live].map(([name, entry]) => [name, withRunsAs(entry, rows.group('skill', tenant).get(name), rows)] as const),
        );
        for (const { name, error } of skillFaults) problems.push({ tenant, kind: 'skill', name, message: error.message, error });

        const mcpServers = new Map<string, McpServerEntry>();
        const mcpRows = [...rows.group('mcp', tenant).values()].toSorted(byAge);
        const labels = mcpLabels(mcpRows);
        for (const { name, error } of labels.faults) problems.push({ tenant, kind: 'mcp', name, message: error.message, error });
        for (const row of mcpRows) {
          if (!row.enabled) continue;
          await tolerate(row, async () => {
            requireName('mcp', row.name);
            const spec = parseSpec('mcp', row.spec);
            const handle = keep(await factory.take('tool-source', row, previous.handles));
            mcpServers.set(row.name, {
              id: row.id,
              name: row.name,
              capability: capabilityOfRow('mcp', row, spec.tags),
              spec,
              ...(labels.of.get(row.name) === row.name ? {} : { label: labels.of.get(row.name) ?? null }),
              instance: handle.instance,
            });
          });
        }

        for (const { name, error } of virtualFaults(rows.group('mcp', tenant)))
          problems.push({ tenant, kind: 'mcp', name, message: error.message, error });

        /** Kinds that are compiled together; reused unless one of them changed. */
        const compiled = <K extends 'grant' | 'limit' | 'key', C>(
          kind: K,
          known: C | undefined,
          compile: (rows: ParsedRow<K>[]) => C,
        ): C => {
          if (known !== undefined && same(kind)) {
            for (const problem of previous.problems) if (problem.tenant === tenant && problem.kind === kind) problems.push(problem);
            return known;
          }
          const parsed: ParsedRow<K>[] = [];
          for (const row of rows.group(kind, tenant).values()) {
            if (!row.enabled) continue;
            try {
              if (kind === 'grant') requireBound(row, rows);
              // A limit holds even where its secret cannot be opened.
              parsed.push({ row, spec: parseSpec(kind, kind === 'limit' ? maskSealed(row.spec) : row.spec) });
            } catch (thrown) {
              const error = toGatewayError(thrown);
              problems.push({ tenant, kind, name: row.name, message: error.message, error });
            }
          }
          return compile(parsed);
        };
        const grants = compiled('grant', before?.grants, (all) =>
          compileGrants(all.map(({ row, spec }) => ({ id: row.name, spec, target: row.target ?? null }))),
        );
        const limits = compiled('limit', before?.limits, (all) =>
          compileLimits(all.map(({ row, spec }) => limitRule(row, spec, timeZones(tenant)))),
        );
        const keys = compiled('key', before?.keys, (all) =>
          all.map(({ row, spec }) => ({ id: row.name, tenant, spec, expiresAt: Date.parse(spec.expires_at) })),
        );
        const skillNames = new Set([...rows.group('skill', tenant).keys()].map(skillOf));
        const unused = mcpServers.size === mcpRows.length ? {} : { mcpRows: mcpRows.map(({ id, name }) => ({ id, name })) };
        views.set(tenant, { models: tenantModels, skills, skillVersions, mcpServers, ...unused, skillNames, grants, limits, keys });
      }

      const keys = new Map([...views.values()].flatMap((view) => view.keys.map((key) => [key.id, key] as const)));
      const publicProblems = problems.map(({ tenant, kind, name, message }) => ({ tenant, kind, name, message }));
      const snapshot: Snapshot = Object.freeze({
        revision,
        problems: publicProblems,
        tenant: (name: string) => views.get(name) ?? emptyView,
        key: (id: string) => keys.get(id),
        tenants: views,
      });
      return {
        snapshot,
        rows,
        problems,
        handles,
        views,
        models,
        partial,
        until: ends.reduce((first, end) => Math.min(first, end), Infinity),
      };
    },
  };
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
