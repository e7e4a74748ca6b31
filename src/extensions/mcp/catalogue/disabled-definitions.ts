/** Keeps the last known definitions of disabled servers, so that their tool names stay reserved. */
import type { PinnedDefinition } from '../../../types/tool-definitions.ts';
import type { Snapshot } from '../../../types/snapshot.ts';
import { definitionKey } from './compare-definitions.ts';

export interface DisabledDefinitions {
  /** Applies a new configuration. Returns true if it has a disabled server that was not loaded yet. `known` gives the definitions of a server that was enabled before. */
  follow(snapshot: Snapshot, known: (id: string) => ReadonlyMap<string, PinnedDefinition> | undefined): boolean;
  /** Adds loaded pins. Ignores servers that are enabled or deleted. */
  add(id: string, pins: readonly PinnedDefinition[]): void;
  of(id: string): readonly PinnedDefinition[];
}

export function createDisabledDefinitions(): DisabledDefinitions {
  let servers = new Map<string, Map<string, PinnedDefinition>>();
  return {
    follow(snapshot, known) {
      const before = servers;
      servers = new Map();
      let isNew = false;
      for (const view of snapshot.tenants.values()) {
        for (const { id, name } of view.mcpRows ?? []) {
          if (view.mcpServers.has(name)) continue;
          const pins = before.get(id) ?? known(id);
          if (pins === undefined) isNew = true;
          servers.set(id, new Map(pins));
        }
      }
      return isNew;
    },
    add(id, pins) {
      const own = servers.get(id);
      for (const pin of pins) own?.set(definitionKey(pin.kind, pin.name), pin);
    },
    of: (id) => [...(servers.get(id)?.values() ?? [])],
  };
}
