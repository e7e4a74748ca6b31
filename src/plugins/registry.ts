/** All plugins of this process, by type and kind. */
import { withProxyOptions } from './proxy-options.ts';
import type { Plugin, PluginInstances, PluginType } from '../types/plugin.ts';

/** Types of which one instance serves the whole process, because they have no row and no options. */
type SharedType = 'format' | 'strategy';

interface Entry {
  readonly plugin: Plugin;
  /** Where it came from, for messages: a file name. */
  readonly origin: string;
}

export class PluginRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #shared = new Map<string, PluginInstances[SharedType]>();

  /** Throws if the kind is taken; the message names both files. */
  add(plugin: Plugin, origin: string): void {
    const key = `${plugin.type}/${plugin.kind}`;
    const other = this.#entries.get(key);
    if (other !== undefined) throw new Error(`the ${plugin.type} kind "${plugin.kind}" is already there, from ${other.origin}`);
    this.#entries.set(key, { plugin: withProxyOptions(plugin), origin });
  }

  get<T extends PluginType>(type: T, kind: string): Plugin<T> | undefined {
    return this.#entries.get(`${type}/${kind}`)?.plugin as Plugin<T> | undefined;
  }

  list<T extends PluginType>(type: T): readonly Plugin<T>[] {
    return [...this.#entries.values()].filter((entry) => entry.plugin.type === type).map((entry) => entry.plugin as Plugin<T>);
  }

  /** Keeps the one instance of a format or strategy; the loader makes it. */
  share(plugin: Plugin<SharedType>, instance: PluginInstances[SharedType]): void {
    this.#shared.set(`${plugin.type}/${plugin.kind}`, instance);
  }

  /** The one instance of a format or strategy. */
  instance<T extends SharedType>(type: T, kind: string): PluginInstances[T] | undefined {
    return this.#shared.get(`${type}/${kind}`) as PluginInstances[T] | undefined;
  }
}
