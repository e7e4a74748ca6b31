/** Composes the configuration service over the database, and starts it. */
import { createModelCatalogue } from '../models/catalogue/catalogue.ts';
import type { PluginRegistry } from '../plugins/registry.ts';
import type { Storage } from '../storage/compose-storage.ts';
import { createConfigStore } from '../storage/config-store.ts';
import { createAccounts } from '../storage/mcp-accounts.ts';
import { createSecretBox } from '../storage/secret-box.ts';
import type { Logger } from '../types/logger.ts';
import type { PluginServices } from '../types/plugin.ts';
import { readCatalogueFile } from './catalogue-file.ts';
import type { ProxiedFetch } from './instances.ts';
import type { PersonNames } from './person-names.ts';
import { type ConfigService, createConfigService } from './service.ts';
import type { TimeZones } from './time-zones.ts';

export interface ConfigParts {
  readonly storage: Pick<Storage, 'database' | 'master' | 'boxFor'>;
  readonly people: PersonNames;
  readonly registry: PluginRegistry;
  readonly services: PluginServices;
  /** The services for rows without an administrator's approval. */
  readonly developerServices: PluginServices;
  readonly proxied: ProxiedFetch;
  readonly dataDir: string;
  /** The operator's catalogue file; null for none. */
  readonly catalogueFile: string | null;
  readonly timeZones: TimeZones;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

/** Throws SettingsError for a bad catalogue file. Resolves when a snapshot serves: the database's, or the last good one while the database is away. */
export async function composeConfig(parts: ConfigParts): Promise<ConfigService> {
  const { storage, people, registry, services, developerServices, proxied, dataDir, catalogueFile, timeZones, logger, owned } = parts;
  const { database } = storage;
  const secrets = createSecretBox(storage.master);
  const accountBox = storage.boxFor('mcp accounts');
  const config = createConfigService({
    catalogue: createModelCatalogue(catalogueFile === null ? [] : readCatalogueFile(catalogueFile)),
    store: createConfigStore(database, secrets),
    registry,
    services,
    developerServices,
    proxied,
    secrets,
    accounts: (server) => createAccounts(database, accountBox, server),
    people,
    timeZones,
    dataDir,
    logger,
  });
  owned.defer(() => config.close());
  await config.start();
  return config;
}
