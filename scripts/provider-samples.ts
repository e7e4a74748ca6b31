/** Creates every built-in provider with sample options. For the provider page and the conformance suite. */
import { join } from 'node:path';
import { z } from 'zod';
import { loadPlugins } from '../src/plugins/loader.ts';
import type { PluginRegistry } from '../src/plugins/registry.ts';
import { createLogger } from '../src/telemetry/log.ts';
import type { Plugin, PluginServices, Provider } from '../src/types/plugin.ts';

const source = join(import.meta.dirname, '../src');

/** Sample credentials. A schema cannot say which one a plugin needs; the first one that it accepts is used. */
const credentials: readonly Readonly<Record<string, string>>[] = [{}, { api_key: 'sample-key' }, { access_token: 'sample-token' }];

interface Schema {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, { readonly format?: string; readonly type?: string; readonly enum?: readonly unknown[] }>>;
}

/** Sample options with a value in each required field, and `base` as the address if the plugin has one. */
function sampleOptions(plugin: Plugin<'provider'>, base: string): Record<string, unknown> {
  const schema = z.toJSONSchema(plugin.options, { io: 'input' }) as Schema;
  const options: Record<string, unknown> = {};
  for (const name of schema.required ?? []) {
    const property = schema.properties?.[name];
    options[name] = property?.enum?.[0] ?? (property?.format === 'uri' ? base : 'sample');
  }
  if (schema.properties?.['base_url'] !== undefined) options['base_url'] = base;
  return options;
}

export interface ProviderSample {
  readonly plugin: Plugin<'provider'>;
  readonly provider: Provider;
}

/** All built-in formats and providers, without `demo`, which answers by itself. */
export async function loadProviders(services: PluginServices): Promise<PluginRegistry> {
  const folders = ['models/vendor-formats', 'providers'].map((folder) => join(source, folder));
  return loadPlugins({ folders, pluginsDir: null, services, logger: createLogger('silent') });
}

/** Creates the provider of `kind` at `base`. Throws the plugin's error for the last options tried. */
export async function sampleProvider(
  registry: PluginRegistry,
  kind: string,
  base: string,
  services: PluginServices,
): Promise<ProviderSample> {
  const plugin = registry.get('provider', kind);
  if (plugin === undefined) throw new Error(`no provider ${kind}`);
  let failure: unknown;
  for (const credential of credentials) {
    try {
      const options = plugin.options.parse({ ...sampleOptions(plugin, base), ...credential });
      return { plugin, provider: await plugin.create(options, services) };
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw new Error(`the provider ${kind} takes no sample options`, { cause: failure });
}
