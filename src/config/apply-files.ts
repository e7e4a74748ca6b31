/** Applies the file of PAILOU_CONFIG at the start. Its rows are locked for all other writers. Rows that it no longer has are deleted. */
import type { Logger } from '../types/logger.ts';
import { ownerLabel } from '../types/row-labels.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { Writer } from '../types/writes.ts';
import { DocumentFault, placedFault, readDocuments } from './document-files.ts';
import { documentedKinds } from './documents.ts';
import { isFileOwned, labelsOfPeople } from './file-owned.ts';
import type { ConfigService } from './service.ts';
import { SettingsError } from './settings.ts';
import { prunedRows, wantedRows } from './wanted-rows.ts';

const owned = { [ownerLabel]: 'file' };

/** The operator wrote the file, so every reach is approved. */
const fileWriter = (tenant: string): Writer => ({
  actor: { subject: 'pailou', username: 'pailou', tenant, requestId: 'configuration-file', isAdministrator: true },
  isConfigurationFile: true,
  kinds: documentedKinds,
  decide: ({ reaches }) => ({
    allowed: true,
    rule: 'configuration-file',
    reason: 'The operator of the gateway wrote the configuration file.',
    basis: Object.fromEntries(reaches.map(({ key }) => [key, 'administrator'])),
  }),
});

export interface ApplyFilesOptions {
  /** A file, or a folder of files. */
  readonly path: string;
  /** The tenant of documents that name none. */
  readonly tenant: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
}

/** Throws SettingsError with file, line and remedy. Nothing of a faulty file, or of one without documents, is applied. */
export async function applyFiles(config: ConfigService, { path, tenant: home, env, logger }: ApplyFilesOptions): Promise<void> {
  const fail = (message: string): never => {
    throw new SettingsError([`PAILOU_CONFIG: ${message}`]);
  };
  const documents = (() => {
    try {
      return readDocuments([path], env);
    } catch (thrown) {
      if (thrown instanceof DocumentFault) return fail(thrown.message);
      return fail(`${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  })();
  if (documents.length === 0)
    fail(`${path} contains no document. Add the documents; without PAILOU_CONFIG the rows of an earlier file stay, unlocked.`);
  const tenantOf = ({ document }: (typeof documents)[number]): string => document.metadata.tenant ?? home;
  const tenants = new Set([...documents.map(tenantOf), ...ownedRows(config).map(({ tenant }) => tenant)]);
  const apply = async (tenant: string, dryRun: boolean): Promise<void> => {
    const own = documents.filter((each) => tenantOf(each) === tenant);
    try {
      const wanted = wantedRows(
        own.map(({ document }) => document),
        tenant,
        owned,
      );
      const removed = prunedRows(config, wanted, tenant, owned);
      const summary = `apply the configuration file: ${wanted.length} documents`;
      const { revision, changes, unchanged } = await config.apply(fileWriter(tenant), wanted, { removed, summary, dryRun });
      if (!dryRun) logger.info({ tenant, revision, changes: changes.length, unchanged }, 'the configuration file is applied');
    } catch (thrown) {
      if (thrown instanceof GatewayError && thrown.code === 'storage_unavailable') return reportAway(logger);
      if (!(thrown instanceof GatewayError) || thrown.status >= 500) throw thrown;
      fail(placedFault(own, thrown.param, thrown.message));
    }
  };
  // Each tenant is a change of its own, so all are validated before the first is written.
  for (const dryRun of [true, false]) for (const tenant of tenants) await apply(tenant, dryRun);
}

/** The node then serves the last good configuration. */
function reportAway(logger: Logger): void {
  logger.warn({}, 'the database is away, so the configuration file is not applied; restart the node when the database is back');
}

const ownedRows = (config: ConfigService): ConfigRow[] => [...config.rowSet().all()].filter(isFileOwned);

/** Unlocks the rows of an earlier file after PAILOU_CONFIG was taken away. The rows stay. */
export async function releaseFileRows(config: ConfigService, logger: Logger): Promise<void> {
  const rows = ownedRows(config);
  for (const tenant of new Set(rows.map((row) => row.tenant))) {
    const own = rows.filter((row) => row.tenant === tenant);
    const released = own.map((row, index) => ({ index, kind: row.kind, tenant, name: row.name, labels: labelsOfPeople(row) }));
    try {
      await config.apply(fileWriter(tenant), released, {
        removed: [],
        summary: 'unlock the rows of the configuration file',
        dryRun: false,
      });
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.code !== 'storage_unavailable') throw thrown;
      return reportAway(logger);
    }
    logger.warn({ tenant, rows: own.length }, 'PAILOU_CONFIG is not set; the rows of the earlier configuration file stay and are unlocked');
  }
}
