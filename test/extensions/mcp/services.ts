/** The services and the caller that plugins get in these tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createToolLoopStates } from '../../../src/storage/tool-loop-state.ts';
import { createSecretBox, masterKey } from '../../../src/storage/secret-box.ts';
import type { ToolLoopStates } from '../../../src/types/tool-loop-state.ts';
import { createDefinitionStore } from '../../../src/storage/mcp-catalogue.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import type { Principal } from '../../../src/types/access.ts';
import type { Logger } from '../../../src/types/logger.ts';
import type { PluginServices } from '../../../src/types/plugin.ts';
import type { DefinitionStore } from '../../../src/types/tool-definitions.ts';
import type { McpServerEntry, Snapshot } from '../../../src/types/snapshot.ts';
import type { ServerListing, ToolDefinition, ToolSource } from '../../../src/types/tool-source.ts';
import { copyDatabaseInto } from '../../storage/template-databases.ts';

const say = (): void => {};
export const logger = { debug: say, info: say, warn: say, error: say } as unknown as Logger;

export const services: PluginServices = {
  logger,
  mode: 'development',
  stdioPrograms: [],
  stdioUser: null,
  checkUrl: (url) => new URL(url),
  fetch,
  tokenExchange: { check: async () => {}, require: async () => {} },
};

/** Services that allow this one command line. */
export const allowing = (command: string, args: readonly string[], env: readonly string[] = []): PluginServices => ({
  ...services,
  stdioPrograms: [{ name: 'tests', command, args, parameters: {}, env, cwd: null, tenants: null }],
});

export function person(subject: string): Principal {
  return {
    subject,
    username: subject,
    tenant: 'default',
    roles: ['user'],
    permissions: new Set(),
    client: null,
    issuer: 'https://issuer.test',
    credential: 'token',
    expiresAt: Date.now() + 3_600_000,
  };
}
export const principal = person('tester');

export function entryOf(name: string, instance: ToolSource, allowed: string[] | null = null): McpServerEntry {
  return {
    id: name,
    name,
    capability: { kind: 'mcp', name, tenant: 'default', owner: null, tags: [] },
    spec: {
      kind: 'stdio',
      description: '',
      options: {},
      tags: [],
      allowed_tools: allowed,
      prefix: null,
      new_tools: 'allow',
      approval: 'never',
      concurrency: 100,
      max_result_bytes: 4_000_000,
      call_timeout_ms: 10_000,
    },
    instance,
  };
}

/** A server listing with only tools. */
export function offering(...tools: readonly ToolDefinition[]): ServerListing {
  return { tools, resources: [], templates: [], prompts: [] };
}

/** A snapshot with only these servers. */
export function snapshotWith(...servers: readonly McpServerEntry[]): Snapshot {
  const view = { mcpServers: new Map(servers.map((server) => [server.name, server])) };
  return { revision: 1, tenants: new Map([['default', view]]) } as unknown as Snapshot;
}

/** The catalogue's table in a database of its own. */
export async function openPins(): Promise<{ readonly store: DefinitionStore } & AsyncDisposable> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-pins-'));
  await copyDatabaseInto(dataDir);
  const database = await openDatabase({ url: null, dataDir, logger });
  return {
    store: createDefinitionStore(database),
    async [Symbol.asyncDispose]() {
      await database.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** States of chats in a real database of their own. */
export async function openStates(): Promise<ToolLoopStates & AsyncDisposable> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-states-'));
  await copyDatabaseInto(dataDir);
  const database = await openDatabase({ url: null, dataDir, logger });
  return {
    ...createToolLoopStates(database, createSecretBox({ current: masterKey(Buffer.alloc(32, 7)) })),
    async [Symbol.asyncDispose]() {
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
