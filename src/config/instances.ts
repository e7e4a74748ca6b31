/** Plugin instances, one per row and options, disposed with the last snapshot that uses them. */
import { createHash } from 'node:crypto';
import type { ZodType } from 'zod';
import type { PluginRegistry } from '../plugins/registry.ts';
import { rowContext, type SecretBox } from '../storage/secret-box.ts';
import { GatewayError } from '../types/errors.ts';
import type { Accounts } from '../types/accounts.ts';
import type { Logger } from '../types/logger.ts';
import type { Plugin, PluginInstances, PluginServices, PluginType } from '../types/plugin.ts';
import { guardedAddress, proxyOfOptions, type ProxyServer } from '../types/proxy.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { ProviderEntry } from '../types/snapshot.ts';
import { invalidBySchema, unknownName } from './validation-errors.ts';
import { administratorBasis, basisOf } from './basis.ts';
import { openOptions } from './secret-fields.ts';

const digests = new WeakMap<ConfigRow['spec'], string>();

/** True when an administrator approved the addresses of the row: private ones are then allowed by the operator's setting. */
function isTrusted({ basis }: Pick<ConfigRow, 'basis'>): boolean {
  if (basis?.['*'] === administratorBasis) return true;
  const addresses = Object.entries(basis ?? {}).filter(([key]) => key.startsWith('address:'));
  return addresses.length > 0 && addresses.every(([, rule]) => rule === administratorBasis);
}

/** Equal keys share an instance: only kind, options and trust require a new connection. */
function instanceKey({ id, spec, ...row }: Pick<ConfigRow, 'id' | 'spec' | 'basis'>): string {
  let digest = digests.get(spec);
  if (digest === undefined) {
    digest = createHash('sha256')
      .update(JSON.stringify([spec['kind'], spec['options']]))
      .digest('base64url');
    digests.set(spec, digest);
  }
  return `${id}@${digest}${isTrusted(row) ? '' : ' developer'}`;
}

/** A provider as models call it. */
export function providerEntry(row: ConfigRow, { instance, proxy }: Pick<Handle<'provider'>, 'instance' | 'proxy'>): ProviderEntry {
  const own = { id: row.id, name: row.name, kind: String(row.spec['kind']), instance };
  const entry = proxy === undefined ? own : { ...own, proxy };
  return isTrusted(row) ? entry : { ...entry, restricted: true };
}

export type RowPluginType = 'provider' | 'skill' | 'tool-source';

/** An instance with the key of its options. Snapshots share it as long as the key stays. */
export interface Handle<T extends RowPluginType = RowPluginType> {
  readonly key: string;
  readonly instance: PluginInstances[T];
  /** The row's own proxy; null for none whatever the environment says. Absent: as the environment says. */
  readonly proxy?: ProxyServer | null;
}

export interface InstanceFactory {
  /** `before` when it was made of the same row and options, else a new instance. Throws `configuration_invalid`. */
  take<T extends RowPluginType>(type: T, row: ConfigRow, before: Handle | undefined): Promise<Handle<T>>;
  plugin<T extends PluginType>(type: T, kind: string): Plugin<T>;
  /** The plugin of a row and its parsed options. Throws `configuration_invalid`. */
  parsed<T extends RowPluginType>(type: T, row: ConfigRow): { readonly plugin: Plugin<T>; readonly options: unknown };
  /** For rows with an administrator's approval. */
  readonly services: PluginServices;
  /** For rows without an administrator's approval. */
  readonly developerServices: PluginServices;
  /** Disposes of an instance that no snapshot and no draft uses any more. */
  dispose(handle: Handle): void;
  /** Resolves when each of them is disposed: no child process may outlive the gateway. */
  disposed(): Promise<void>;
}

/** A `fetch` through `proxy`, or directly with null, by the guard for rows with or without an administrator's approval. */
export type ProxiedFetch = (proxy: ProxyServer | null, isTrusted: boolean) => typeof fetch;

export function createInstanceFactory(options: {
  registry: PluginRegistry;
  services: PluginServices;
  /** Like `services`, with the outbound guard for rows without an administrator's approval. */
  developerServices: PluginServices;
  secrets: SecretBox;
  logger: Logger;
  /** Creates the guarded `fetch` for a row that sets `proxy`. */
  proxied?: ProxiedFetch;
  /** Accounts of people at the MCP server with this row id. */
  accounts?: (row: string) => Accounts;
}): InstanceFactory {
  const { registry, services, developerServices, secrets, logger } = options;
  const disposals = new Set<Promise<void>>();

  const servicesFor = (row: ConfigRow, proxy: ProxyServer | null | undefined): PluginServices => {
    const { stdioPrograms, ...own } = isTrusted(row) ? services : developerServices;
    if (proxy != null) own.checkUrl(guardedAddress(proxy), 'spec.options.proxy');
    return {
      ...own,
      ...(proxy === undefined || options.proxied === undefined ? {} : { fetch: options.proxied(proxy, isTrusted(row)) }),
      tenant: row.tenant,
      stdioPrograms: stdioPrograms.filter(({ tenants }) => tenants === null || tenants.includes(row.tenant)),
      ...(options.accounts === undefined ? {} : { accounts: options.accounts(row.id) }),
    };
  };
  const plugin = <T extends PluginType>(type: T, kind: string): Plugin<T> => {
    const found = registry.get(type, kind);
    if (found !== undefined) return found;
    throw unknownName(
      `${type} kind`,
      kind,
      registry.list(type).map((each) => each.kind),
      'spec.kind',
    );
  };

  const parsed = <T extends RowPluginType>(type: T, row: ConfigRow): { plugin: Plugin<T>; options: unknown } => {
    const found = plugin(type, String(row.spec['kind']));
    return { plugin: found, options: parseOptions(found.options, row.spec['options'] ?? {}, secrets, rowContext(row)) };
  };

  return {
    plugin,
    parsed,
    services,
    developerServices,
    async take<T extends RowPluginType>(type: T, row: ConfigRow, before: Handle | undefined): Promise<Handle<T>> {
      const key = instanceKey(row);
      if (before?.key === key) return before as Handle<T>;
      const { plugin: found, options: read } = parsed(type, row);
      requireBasis(row, found.reaches?.(read) ?? []);
      const proxy = found.connects === false ? undefined : proxyOfOptions(read);
      try {
        const instance = await found.create(read, servicesFor(row, proxy));
        return proxy === undefined ? { key, instance } : { key, instance, proxy };
      } catch (thrown) {
        if (thrown instanceof GatewayError) throw thrown;
        throw new GatewayError(
          'configuration_invalid',
          `spec.options: the ${type} kind "${found.kind}" cannot be set up with these options.`,
          {
            param: 'spec.options',
            cause: thrown,
          },
        );
      }
    },
    dispose(handle) {
      const dispose = (handle.instance as Partial<AsyncDisposable>)[Symbol.asyncDispose];
      if (dispose === undefined) return;
      const disposal = Promise.resolve(dispose.call(handle.instance))
        .catch((error: unknown) => logger.warn({ key: handle.key, err: error }, 'an instance could not be disposed of'))
        .finally(() => disposals.delete(disposal));
      disposals.add(disposal);
    },
    async disposed() {
      await Promise.all(disposals);
    },
  };
}

/** Throws for a row that acts on other people without an administrator's approval, such as one of an older version. */
function requireBasis(row: ConfigRow, reaches: readonly string[]): void {
  const reach = reaches.find((each) => basisOf(row, each) !== administratorBasis);
  if (reach === undefined) return;
  const param = 'spec.kind';
  throw new GatewayError(
    'configuration_invalid',
    `${param}: the row affects other people (${reach}), and its last writer is not known to be an administrator. An administrator must review it and save it again.`,
    { param },
  );
}

/** Parsed options: secrets opened, defaults filled in. Throws `configuration_invalid` naming the field. */
export function parseOptions<O>(schema: ZodType<O>, stored: unknown, secrets: SecretBox, context: string): O {
  const checked = schema.safeParse(openOptions(stored, schema, secrets, context));
  if (!checked.success) throw invalidBySchema(checked.error, ['spec', 'options']);
  return checked.data;
}
