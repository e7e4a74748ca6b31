/** Instantiates unsaved drafts for a connection test, with the same authorization as saving. */
import { randomUUID } from 'node:crypto';
import type { SecretBox } from '../storage/secret-box.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { Deployment, McpServerEntry, ModelEntry, ProviderEntry } from '../types/snapshot.ts';
import type { Writer } from '../types/writes.ts';
import type { Operation } from '../types/wire-format.ts';
import { authorizeChange, authorizeRow, type WriteScene } from './authorize-write.ts';
import { type Handle, type InstanceFactory, providerEntry, type RowPluginType } from './instances.ts';
import { unknownName } from './validation-errors.ts';
import { prepareSpec } from './mutations.ts';
import { parseSpec } from './parse-spec.ts';
import { rowKey } from './snapshot/build-edit.ts';
import type { Built } from './snapshot/built.ts';
import { virtualFaults } from './virtual-servers.ts';

export interface Drafts {
  /** A model with one deployment on the drafted provider. `name` is an existing provider whose secrets `***` keeps. */
  draftProvider(
    writer: Writer,
    draft: {
      tenant: string;
      spec: unknown;
      name?: string | undefined;
      model: string;
      operation: Operation;
    },
  ): Promise<{ model: ModelEntry } & AsyncDisposable>;
  draftModel(writer: Writer, draft: { tenant: string; spec: unknown }): Promise<{ model: ModelEntry } & AsyncDisposable>;
  draftMcpServer(
    writer: Writer,
    draft: {
      tenant: string;
      spec: unknown;
      name?: string | undefined;
    },
  ): Promise<{ server: McpServerEntry } & AsyncDisposable>;
}

export function createDrafts(options: {
  factory: InstanceFactory;
  secrets: SecretBox;
  scene: (tenant: string) => WriteScene;
  current: () => Built;
}): Drafts {
  const { factory, secrets } = options;

  const draftRow = (writer: Writer, kind: ResourceKind, tenant: string, spec: unknown, name: string | undefined): ConfigRow => {
    const scene = options.scene(tenant);
    const stored = name === undefined ? null : (scene.rows.group(kind, tenant).get(name) ?? null);
    if (stored !== null) authorizeRow(writer, kind, stored, scene);
    else if (name !== undefined) throw new GatewayError('not_found', `There is no ${kind} named "${name}".`, { param: 'name' });
    // The stored row's id: its secrets open only there.
    const id = stored?.id ?? randomUUID();
    const now = new Date().toISOString();
    const prepared = prepareSpec(kind, spec, { tenant, id }, stored, factory, secrets);
    const row: ConfigRow = {
      id,
      tenant,
      kind,
      name: name ?? 'draft',
      spec: prepared,
      enabled: true,
      owner: stored === null ? writer.actor.subject : stored.owner,
      revision: 0,
      createdAt: now,
      createdBy: '',
      updatedAt: now,
      updatedBy: '',
    };
    return authorizeChange(writer, { kind, tenant, before: stored, after: row }, scene, true).after ?? row;
  };
  const make = async <T extends RowPluginType>(type: T, row: ConfigRow): Promise<{ handle: Handle<T> } & AsyncDisposable> => {
    const handle = await factory.take(type, row, undefined);
    return { handle, [Symbol.asyncDispose]: async () => factory.dispose(handle) };
  };
  const capability = (kind: 'model' | 'mcp', tenant: string) => ({ kind, name: 'draft', tenant, owner: null, tags: [] });
  const modelOf = (tenant: string, spec: unknown, deploymentsOf: (entry: ModelEntry['spec']) => Deployment[]): ModelEntry => {
    const parsed = parseSpec('model', spec);
    return {
      name: 'draft',
      capability: capability('model', tenant),
      spec: parsed,
      deployments: deploymentsOf(parsed),
      created: Math.floor(Date.now() / 1000),
    };
  };
  const deployment = (provider: ProviderEntry, model: string, weight: number, tier: number): Deployment => ({
    id: `draft#${provider.name}/${model}`,
    // A separate key: failures of a draft do not count for a deployment.
    key: `draft ${randomUUID()}`,
    provider,
    model,
    weight,
    tier,
    price: null,
    alwaysStream: false,
    prefill: false,
    limits: {},
  });

  return {
    async draftProvider(writer, { tenant, spec, name, model, operation }) {
      const row = draftRow(writer, 'provider', tenant, spec, name);
      const made = await make('provider', row);
      const provider = providerEntry(row, made.handle);
      const entry = modelOf(
        tenant,
        { operations: [operation], deployments: [{ provider: 'draft', model }], limits: { attempts: 1, total_ms: 30_000 } },
        () => [deployment(provider, model, 1, 0)],
      );
      return { model: entry, [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
    },

    async draftModel(writer, { tenant, spec }) {
      const { handles, rows } = options.current();
      const providers = rows.group('provider', tenant);
      // Throws unless the writer may use every provider that it names.
      draftRow(writer, 'model', tenant, spec, undefined);
      const entry = modelOf(tenant, spec, (parsed) =>
        parsed.deployments.flatMap((each, index) => {
          const row = providers.get(each.provider);
          const handle = row === undefined ? undefined : (handles.get(rowKey(row)) as Handle<'provider'> | undefined);
          if (row === undefined || handle === undefined)
            throw unknownName('usable provider', each.provider, providers.keys(), `spec.deployments[${index}].provider`);
          return each.enabled ? [deployment(providerEntry(row, handle), each.model, each.weight, each.tier)] : [];
        }),
      );
      return { model: entry, [Symbol.asyncDispose]: async () => {} };
    },

    async draftMcpServer(writer, { tenant, spec, name }) {
      const row = draftRow(writer, 'mcp', tenant, spec, name);
      const beside = new Map([...options.current().rows.group('mcp', tenant), [row.name, row]]);
      const fault = virtualFaults(beside).find((each) => each.name === row.name);
      if (fault !== undefined) throw fault.error;
      const made = await make('tool-source', row);
      const server: McpServerEntry = {
        id: row.id,
        name: 'draft',
        capability: capability('mcp', tenant),
        spec: parseSpec('mcp', row.spec),
        instance: made.handle.instance,
      };
      return { server, [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
    },
  };
}
