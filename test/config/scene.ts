/** A configuration service over a real SQLite file, with the real plugins. */
import { fileURLToPath } from 'node:url';
import { type ConfigService, createConfigService } from '../../src/config/service.ts';
import { createPersonNames } from '../../src/config/person-names.ts';
import { loadPlugins } from '../../src/plugins/loader.ts';
import { createConfigStore } from '../../src/storage/config-store.ts';
import { createSecretBox, masterKey, type SecretBox } from '../../src/storage/secret-box.ts';
import type { PluginRegistry } from '../../src/plugins/registry.ts';
import type { PluginServices } from '../../src/types/plugin.ts';
import type { ConfigRow, ResourceKind } from '../../src/types/resources.ts';
import type { Writer } from '../../src/types/writes.ts';
import { memoryLogger, type TestDatabase } from '../storage/databases.ts';
import type { Database } from '../../src/storage/database.ts';

const folders = ['providers', 'models/vendor-formats', 'dispatch/strategies', 'extensions/skills', 'extensions/mcp/transports'].map(
  (folder) => fileURLToPath(new URL(`../../src/${folder}`, import.meta.url)),
);

export const services: PluginServices = {
  logger: memoryLogger(),
  mode: 'development',
  stdioPrograms: [],
  stdioUser: null,
  checkUrl: (address: string) => new URL(address),
  fetch: () => Promise.reject(new Error('no test of the configuration calls a vendor')),
} as unknown as PluginServices;

export const secrets: SecretBox = createSecretBox({ current: masterKey(Buffer.alloc(32, 7)) });

let registry: Promise<PluginRegistry> | undefined;
export function plugins(): Promise<PluginRegistry> {
  return (registry ??= loadPlugins({ folders, pluginsDir: null, services, logger: services.logger }));
}

/** The master of all rows, by which tests write. */
export const administrator: Writer = {
  actor: { subject: 'https://i#boss', username: 'boss', tenant: 'default', requestId: 'r', isAdministrator: true },
  kinds: ['provider', 'model', 'skill', 'mcp', 'grant', 'limit', 'key', 'service', 'team'],
  decide: () => ({ allowed: true, rule: 'administrator', basis: { '*': 'administrator' } }) as never,
};

export async function startConfig(place: TestDatabase, database: Database, dataDir = place.dataDir): Promise<ConfigService> {
  const config = createConfigService({
    store: createConfigStore(database, secrets),
    registry: await plugins(),
    services,
    developerServices: services,
    secrets,
    people: createPersonNames(['https://i']),
    dataDir,
    logger: place.logger,
    pollMs: 3_600_000,
  });
  await config.start();
  return config;
}

export function configRow(kind: ResourceKind, name: string, spec: object, over: Partial<ConfigRow> = {}): ConfigRow {
  return {
    id: `${kind}-${name}`,
    tenant: 'default',
    kind,
    name,
    spec: spec as ConfigRow['spec'],
    enabled: true,
    owner: null,
    basis: { '*': 'administrator' },
    revision: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'test',
    updatedAt: '2026-01-01T00:00:00.000Z',
    updatedBy: 'test',
    ...over,
  };
}
