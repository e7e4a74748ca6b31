/** Composes the storage layer: the database with its migrations, the keys that seal, and the writers that work off the calls' path. */
import type { Logger } from '../types/logger.ts';
import { type AuditLog, createAuditLog } from './audit.ts';
import { createAuditChain } from './audit-chain.ts';
import { createDataDisk, type DataDisk } from './data-disk.ts';
import type { Database } from './database.ts';
import { createLedger, type LedgerWriter } from './ledger.ts';
import { loadMasterKeys, type MasterKeyOptions } from './master-key.ts';
import { migrateOrKeepTrying } from './migrate-or-keep-trying.ts';
import { openDatabase } from './open-database.ts';
import type { RecordState } from './record-state.ts';
import { createResponseStore, type ResponseStore } from './response-store.ts';
import { createRunContents, type RunContents } from './run-contents.ts';
import type { RetentionLimits } from './retention/prune-task.ts';
import { createRetention } from './retention/retention.ts';
import { createRunFeed, type RunFeed } from './run-feed.ts';
import { createRollupRebuild } from './rollup-rebuild.ts';
import { createSecretBox, derivedKeys, type MasterKeys, type SecretBox } from './secret-box.ts';

export interface StorageParts {
  readonly settings: MasterKeyOptions & {
    readonly databaseUrl: string | null;
    readonly oldMasterKeys: readonly string[];
    readonly responsesStore: boolean;
    readonly retention: RetentionLimits;
  };
  /** As in `migrate`. */
  readonly homeIssuer: string | null;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

export interface Storage {
  readonly database: Database;
  readonly master: MasterKeys;
  /** A box with keys for this purpose alone. */
  readonly boxFor: (purpose: string) => SecretBox;
  readonly ledger: LedgerWriter;
  readonly runFeed: RunFeed;
  readonly contents: RunContents;
  readonly audit: AuditLog;
  /** Null when the operator has disabled it. */
  readonly responses: ResponseStore | null;
  /** What is written off the calls' path. */
  readonly records: readonly RecordState[];
  readonly disk: DataDisk;
}

export async function composeStorage({ settings, homeIssuer, logger, owned }: StorageParts): Promise<Storage> {
  const { dataDir } = settings;
  const database = await openDatabase({ url: settings.databaseUrl, dataDir, logger, forGateway: true });
  owned.defer(() => database.close());
  owned.defer(await migrateOrKeepTrying(database, logger, homeIssuer));
  const master = loadMasterKeys(settings);
  const boxFor = (purpose: string): SecretBox => createSecretBox(derivedKeys(master, purpose));
  const records: RecordState[] = [];
  const watch = (state: RecordState): void => void records.push(state);
  const runFeed = owned.use(createRunFeed(database, logger));
  const ledger = createLedger({ database, dataDir, logger, watch, stored: (runs) => runFeed.stored(runs) });
  owned.use(ledger);
  const contents = createRunContents({ database, dataDir, box: boxFor('run contents'), logger, watch });
  owned.use(contents);
  const audit = createAuditLog({ database, dataDir, logger, watch });
  owned.use(createAuditChain({ database, logger }));
  owned.use(createRollupRebuild({ database, logger }));
  owned.use(createRetention({ database, limits: settings.retention, logger }));
  owned.use(audit);
  const responses = settings.responsesStore ? createResponseStore({ database, dataDir, logger, watch }) : null;
  if (responses !== null) owned.use(responses);
  return { database, master, boxFor, ledger, runFeed, contents, audit, responses, records, disk: createDataDisk(dataDir) };
}
