/** Finds plugin files in folders and adds them to the registry. No code imports a plugin file. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Plugin, PluginServices } from '../types/plugin.ts';
import { importAddress, provideImportsTo } from './operator-imports.ts';
import { checkPluginOptions, checkPluginShape } from './plugin-shape.ts';
import { PluginRegistry } from './registry.ts';

export interface LoadOptions {
  /** Absolute paths of the built-in folders. */
  readonly folders: readonly string[];
  /** The operator's folder, or null. */
  readonly pluginsDir: string | null;
  readonly services: PluginServices;
  readonly logger: Logger;
}

const pluginFile = /(?<!\.d)\.(ts|mts|js|mjs)$/;

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile() === true) return path;
  }
  return undefined;
}

/** Plugin files of a folder: each source file directly in it, and `plugin.ts` or `plugin.js` of each folder below. Sorted, so that order never varies. */
async function pluginFiles(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    if (entry.isDirectory()) {
      const inner = await firstFile([join(path, 'plugin.ts'), join(path, 'plugin.js')]);
      if (inner !== undefined) files.push(inner);
    } else if (pluginFile.test(entry.name)) files.push(path);
  }
  return files;
}

/** `checksOptions`: not for built-in plugins, whose options tests show. */
async function addFile(registry: PluginRegistry, path: string, services: PluginServices, checksOptions: boolean): Promise<void> {
  const module = (await import(importAddress(path))) as { default?: unknown };
  const plugin = checkPluginShape(module.default);
  if (checksOptions) checkPluginOptions(plugin);
  registry.add(plugin, path);
  if (plugin.type === 'format' || plugin.type === 'strategy') {
    const instance = await plugin.create(plugin.options.parse({}), services);
    registry.share(plugin as Plugin<'format' | 'strategy'>, instance as never);
  }
}

/**
 * Loads all plugins. A broken built-in stops the start. A broken file of the operator is logged and left out.
 * A missing operator folder stops the start: its plugins would be missing silently.
 */
export async function loadPlugins(options: LoadOptions): Promise<PluginRegistry> {
  const registry = new PluginRegistry();
  for (const folder of options.folders) {
    for (const path of await pluginFiles(folder)) {
      await addFile(registry, path, options.services, false).catch((cause: unknown) => {
        throw new Error(`built-in plugin ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
    }
  }
  if (options.pluginsDir !== null) await loadOperatorPlugins(registry, options.pluginsDir, options);
  return registry;
}

async function loadOperatorPlugins(registry: PluginRegistry, pluginsDir: string, { services, logger }: LoadOptions): Promise<void> {
  let folder: string;
  let files: string[];
  try {
    folder = await realpath(pluginsDir);
    files = await pluginFiles(folder);
  } catch (cause) {
    throw new GatewayError(
      'configuration_invalid',
      `PAILOU_PLUGINS_DIR: cannot read the folder ${pluginsDir}. Create it or correct the variable.`,
      {
        param: 'PAILOU_PLUGINS_DIR',
        cause,
      },
    );
  }
  provideImportsTo(folder);
  for (const file of files) {
    try {
      const real = await realpath(file);
      if (!real.startsWith(folder + sep)) throw new Error('it is a link to a file outside the plugin folder');
      await addFile(registry, real, services, true);
      logger.info({ file }, 'plugin loaded');
    } catch (thrown) {
      logger.error({ file, reason: thrown instanceof Error ? thrown.message : String(thrown) }, 'plugin left out');
    }
  }
}
