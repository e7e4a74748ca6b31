/** Applies the file of PAILOU_CONFIG at the start. Its rows are locked for all other writers, and rows that it no longer has are deleted. */
import type { Logger } from '../types/logger.ts';
import { ownerLabel } from '../types/row-labels.ts';
import { GatewayError } from '../types/errors.ts';
import type { Writer } from '../types/writes.ts';
import { DocumentFault, placedFault, readDocuments } from './document-files.ts';
import { documentedKinds } from './documents.ts';
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

/** Throws SettingsError with file, line and remedy. Nothing of a faulty file is applied. */
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
  const tenantOf = ({ document }: (typeof documents)[number]): string => document.metadata.tenant ?? home;
  const tenants = new Set([home, ...documents.map(tenantOf)]);
  for (const tenant of tenants) {
    const own = documents.filter((each) => tenantOf(each) === tenant);
    try {
      const wanted = wantedRows(
        own.map(({ document }) => document),
        tenant,
        owned,
      );
      const removed = prunedRows(config, wanted, tenant, owned);
      const { revision, changes, unchanged } = await config.apply(fileWriter(tenant), wanted, {
        removed,
        summary: `apply the configuration file: ${wanted.length} documents`,
        dryRun: false,
      });
      logger.info({ tenant, revision, changes: changes.length, unchanged }, 'the configuration file is applied');
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.status >= 500) throw thrown;
      fail(placedFault(own, thrown.param, thrown.message));
    }
  }
}
