/** Live plugin instances, one per row and its options, disposed when the last snapshot that uses them is let go. */
import { createHash } from 'node:crypto';
import type { ZodType } from 'zod';
import type { PluginRegistry } from '../plugins/registry.ts';
import { rowContext, type SecretBox } from '../storage/secret-box.ts';
import { GatewayError } from '../types/errors.ts';
import type { Accounts } from '../types/accounts.ts';
import type { Logger } from '../types/logger.ts';
import type { Plugin, PluginInstances, PluginServices, PluginType } from '../types/plugin.ts';
import type { ConfigRow } from '../types/resources.ts';
import { invalidBySchema, unknownName } from './validation-errors.ts';
import { openOptions } from './secret-fields.ts';

const keys = new WeakMap<ConfigRow['spec'], string>();

/** The same for a row as long as its instance would be: a change of anything beside kind and options needs no new connection. */
export function instanceKey({ id, spec }: Pick<ConfigRow, 'id' | 'spec'>): string {
  let digest = keys.get(spec);
  if (digest === undefined) {
    digest = createHash('sha256')
      .update(JSON.stringify([spec['kind'], spec['options']]))
      .digest('base64url');
    keys.set(spec, digest);
  }
  return `${id}@${digest}`;
}

export type RowPluginType = 'provider' | 'skill' | 'tool-source';

/** A shared instance; `references` counts the snapshots that hold it. */
export interface Handle<T extends RowPluginType = RowPluginType> {
  readonly key: string;
  readonly instance: PluginInstances[T];
  references: number;
}

export interface InstanceFactory {
  /** The instance for a row: the one that `previous` has for the same row with the same options, or a new one. Throws `configuration_invalid`. */
  take<T extends RowPluginType>(type: T, row: ConfigRow, kind: string, previous: ReadonlyMap<string, Handle>): Promise<Handle<T>>;
  plugin<T extends PluginType>(type: T, kind: string): Plugin<T>;
  release(handle: Handle): void;
  /** Resolves when every instance let go so far has been disposed of: no child process may outlive the gateway. */
  disposed(): Promise<void>;
}

export function createInstanceFactory(options: {
  registry: PluginRegistry;
  services: PluginServices;
  secrets: SecretBox;
  logger: Logger;
  /** People's accounts at the MCP server with this row id. */
  accounts?: (row: string) => Accounts;
}): InstanceFactory {
  const { registry, services, secrets, logger } = options;
  const disposals = new Set<Promise<void>>();

  const servicesFor = ({ id }: ConfigRow): PluginServices =>
    options.accounts === undefined ? services : { ...services, accounts: options.accounts(id) };
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

  return {
    plugin,
    async take<T extends RowPluginType>(type: T, row: ConfigRow, kind: string, previous: ReadonlyMap<string, Handle>): Promise<Handle<T>> {
      const key = instanceKey(row);
      const known = previous.get(key);
      if (known !== undefined) return known as Handle<T>;
      const found = plugin(type, kind);
      const parsed = parseOptions(found.options, row.spec['options'] ?? {}, secrets, rowContext(row));
      try {
        return { key, instance: await found.create(parsed, servicesFor(row)), references: 0 };
      } catch (thrown) {
        if (thrown instanceof GatewayError) throw thrown;
        throw new GatewayError('configuration_invalid', `spec.options: the ${type} kind "${kind}" cannot be set up with these options.`, {
          param: 'spec.options',
          cause: thrown,
        });
      }
    },
    release(handle) {
      if (--handle.references > 0) return;
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

/** Options as the plugin takes them: secrets opened, defaults filled in. Throws `configuration_invalid` naming the field. */
export function parseOptions<O>(schema: ZodType<O>, stored: unknown, secrets: SecretBox, context: string): O {
  const checked = schema.safeParse(openOptions(stored, schema, secrets, context));
  if (!checked.success) throw invalidBySchema(checked.error, ['spec', 'options']);
  return checked.data;
}
