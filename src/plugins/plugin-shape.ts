/** Checks that a default export is a plugin, with error messages for its author. */
import { z } from 'zod';
import type { Plugin, PluginType } from '../types/plugin.ts';

const types: readonly PluginType[] = ['provider', 'format', 'strategy', 'skill', 'tool-source'];

/** Throws an Error with a sentence for the plugin's author. */
export function checkPluginShape(exported: unknown): Plugin {
  if (typeof exported !== 'object' || exported === null)
    throw new Error('the file has no default export that is a plugin; write `export default definePlugin({ … })`');
  const plugin = exported as Record<string, unknown>;
  if (!types.includes(plugin['type'] as PluginType)) throw new Error(`type must be one of ${types.join(', ')}`);
  if (typeof plugin['kind'] !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(plugin['kind']))
    throw new Error('kind must be small letters, digits and -, e.g. "my-vendor"');
  if (typeof plugin['title'] !== 'string' || plugin['title'] === '') throw new Error('title must be a text for people');
  if (typeof plugin['create'] !== 'function') throw new Error('create must be a function (options, services) => instance');
  if (!(plugin['options'] instanceof z.ZodType)) throw new Error("options must be a zod schema; import { z } from 'zod'");
  return exported as Plugin;
}

/** Throws an Error with a sentence for the plugin's author. */
export function checkPluginOptions({ options }: Plugin): void {
  try {
    z.toJSONSchema(options, { io: 'input' });
  } catch (cause) {
    throw new Error(`options cannot be shown as JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
