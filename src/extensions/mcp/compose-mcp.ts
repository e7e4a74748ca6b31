/** Composes MCP: the catalogue of servers' definitions, and the gate for MCP clients. */
import type { AuditLog } from '../../storage/audit.ts';
import type { Database } from '../../storage/database.ts';
import { createDefinitionStore } from '../../storage/mcp-catalogue.ts';
import type { Logger } from '../../types/logger.ts';
import type { SnapshotSource } from '../../types/snapshot.ts';
import { type Catalogue, createCatalogue } from './catalogue/catalogue.ts';
import { createMcpGate, type McpGate } from './gate/gate.ts';

export interface McpParts {
  readonly config: SnapshotSource;
  readonly database: Database;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly version: string;
  /** Milliseconds of silence after which an MCP client gets a sign of life. */
  readonly quietMs: number;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

export interface Mcp {
  readonly catalogue: Catalogue;
  readonly gate: McpGate;
}

export function composeMcp({ config, database, audit, version, quietMs, logger, owned }: McpParts): Mcp {
  const catalogue = createCatalogue({
    store: createDefinitionStore(database),
    logger,
    // A program costs more than the rest of the start.
    startPauseMs: 5_000,
    onQuarantine(server, pins) {
      for (const { kind, name, state } of pins)
        audit.append({
          tenant: server.capability.tenant,
          actor: 'pailou',
          act: 'withhold',
          target: `mcp/${server.name}/${name}`,
          requestId: '',
          detail: `the ${kind} ${state === 'new' ? 'is new' : 'is not as it was approved'}; it is quarantined until its approval`,
        });
    },
  });
  owned.defer(() => catalogue.close());
  catalogue.follow(config.current());
  config.onSwap((snapshot, { servers }) => {
    if (servers) catalogue.follow(snapshot);
  });

  const gate = createMcpGate({
    logger,
    version,
    quietMs,
    onSessionEnd(id) {
      for (const view of config.current().tenants.values()) for (const server of view.mcpServers.values()) server.instance.leave?.(id);
    },
  });
  owned.defer(() => gate.close());
  catalogue.onChange(() => gate.changed());
  config.onSwap(() => gate.changed());
  return { catalogue, gate };
}
