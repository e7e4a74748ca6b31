/** Migrates a database of any earlier version. Safe when several nodes start at once: one migrates, the others wait. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { reportMigrationWaits } from './migration-waits.ts';
import * as firstTables from './migrations/0001-first-tables.ts';
import * as responses from './migrations/0002-responses.ts';
import * as childrenOfRuns from './migrations/0003-children-of-runs.ts';
import * as nodes from './migrations/0004-nodes.ts';
import * as limits from './migrations/0005-limits.ts';
import * as keys from './migrations/0006-keys.ts';
import * as usage from './migrations/0007-usage.ts';
import * as auditChain from './migrations/0008-audit-chain.ts';
import * as sessions from './migrations/0010-sessions.ts';
import * as auditFilters from './migrations/0011-audit-filters.ts';
import * as peopleOfTenants from './migrations/0012-people-of-tenants.ts';
import * as mcpCatalogue from './migrations/0013-mcp-catalogue.ts';
import * as mcpAccounts from './migrations/0014-mcp-accounts.ts';
import * as chatStates from './migrations/0015-chat-states.ts';
import * as runContents from './migrations/0016-run-contents.ts';
import * as treesOfRuns from './migrations/0017-trees-of-runs.ts';
import { peopleByIssuer } from './migrations/0018-people-by-issuer.ts';
import * as revocations from './migrations/0020-revocations.ts';
import * as boundGrants from './migrations/0019-bound-grants.ts';
import * as impossibleCounts from './migrations/0021-impossible-counts.ts';
import * as decimalAmounts from './migrations/0022-decimal-amounts.ts';
import * as unbudgetedCosts from './migrations/0023-unbudgeted-costs.ts';
import * as basisOfRows from './migrations/0024-basis-of-rows.ts';
import * as budgetAlerts from './migrations/0025-budget-alerts.ts';
import * as serviceAccounts from './migrations/0030-service-accounts.ts';
import * as singleAttempts from './migrations/0047-single-attempts.ts';
import * as spend from './migrations/0032-spend.ts';
import * as rowLabels from './migrations/0050-row-labels.ts';
import * as rollups from './migrations/0051-rollups.ts';
import * as listIndexes from './migrations/0052-list-indexes.ts';
import * as monthPartitions from './migrations/0053-month-partitions.ts';
import * as breakingMigrations from './migrations/0056-breaking-migrations.ts';
import * as attemptDays from './migrations/0060-attempt-days.ts';
import * as filtersOfRuns from './migrations/0055-filters-of-runs.ts';
import * as roomForUpdates from './migrations/0062-room-for-updates.ts';
import * as configuredServiceAccounts from './migrations/0063-configured-service-accounts.ts';
import * as teams from './migrations/0064-teams.ts';
import * as sumsInOnePass from './migrations/0067-sums-in-one-pass.ts';
import * as runFacts from './migrations/0068-run-facts.ts';
import * as adjustedRollups from './migrations/0070-adjusted-rollups.ts';
import * as teamDays from './migrations/0071-team-days.ts';
import * as shortRunColumns from './migrations/0072-short-run-columns.ts';
import * as teamRollups from './migrations/0073-team-rollups.ts';
import * as failedAttempts from './migrations/0075-failed-attempts.ts';
import * as runsOfCallers from './migrations/0077-runs-of-callers.ts';

export const migrationsOf = (homeIssuer: string | null): Readonly<Record<string, Migration>> => ({
  '0001-first-tables': firstTables,
  '0002-responses': responses,
  '0003-children-of-runs': childrenOfRuns,
  '0004-nodes': nodes,
  '0005-limits': limits,
  '0006-keys': keys,
  '0007-usage': usage,
  '0008-audit-chain': auditChain,
  '0010-sessions': sessions,
  '0011-audit-filters': auditFilters,
  '0012-people-of-tenants': peopleOfTenants,
  '0013-mcp-catalogue': mcpCatalogue,
  '0014-mcp-accounts': mcpAccounts,
  '0015-chat-states': chatStates,
  '0016-run-contents': runContents,
  '0017-trees-of-runs': treesOfRuns,
  '0018-people-by-issuer': peopleByIssuer(homeIssuer),
  '0019-bound-grants': boundGrants,
  '0020-revocations': revocations,
  '0021-impossible-counts': impossibleCounts,
  '0022-decimal-amounts': decimalAmounts,
  '0023-unbudgeted-costs': unbudgetedCosts,
  '0024-basis-of-rows': basisOfRows,
  '0025-budget-alerts': budgetAlerts,
  '0030-service-accounts': serviceAccounts,
  '0032-spend': spend,
  '0047-single-attempts': singleAttempts,
  '0050-row-labels': rowLabels,
  '0051-rollups': rollups,
  '0052-list-indexes': listIndexes,
  '0053-month-partitions': monthPartitions,
  '0055-filters-of-runs': filtersOfRuns,
  '0056-breaking-migrations': breakingMigrations,
  '0060-attempt-days': attemptDays,
  '0062-room-for-updates': roomForUpdates,
  '0063-configured-service-accounts': configuredServiceAccounts,
  '0064-teams': teams,
  '0067-sums-in-one-pass': sumsInOnePass,
  '0068-run-facts': runFacts,
  '0070-adjusted-rollups': adjustedRollups,
  '0071-team-days': teamDays,
  '0072-short-run-columns': shortRunColumns,
  '0073-team-rollups': teamRollups,
  '0075-failed-attempts': failedAttempts,
  '0077-runs-of-callers': runsOfCallers,
});

async function appliedOn(database: Database): Promise<ReadonlySet<string>> {
  const tables = await database.query.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'llm_migration')) return new Set();
  const { rows } = await sql<{ name: string }>`select name from llm_migration`.execute(database.query);
  return new Set(rows.map(({ name }) => name));
}

/** True for the database of a newer program that has all migrations of this one as well. */
async function isNewer(database: Database, known: Readonly<Record<string, Migration>>): Promise<boolean> {
  const applied = await appliedOn(database);
  return applied.size > Object.keys(known).length && Object.keys(known).every((name) => applied.has(name));
}

/** Throws `internal_error` when a newer program has changed the tables so that this one cannot work with them. */
async function refuseBroken(database: Database, known: Readonly<Record<string, Migration>>): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from llm_breaking_migration order by name`.execute(database.query);
  const breaking = rows.find(({ name }) => !Object.hasOwn(known, name));
  if (breaking === undefined) return;
  throw new GatewayError(
    'internal_error',
    `The database was made by a newer version of Pailou, which this one cannot work with (${breaking.name}; this one knows up to ${Object.keys(known).at(-1)}). Start that version, or restore an older copy of the database.`,
  );
}

/** For tables that lack migrations of this program, and have some that it does not know. */
function newerTables(known: Readonly<Record<string, Migration>>, cause?: Error): GatewayError {
  return new GatewayError(
    'internal_error',
    `The database was made by a newer version of Pailou (this one knows up to ${Object.keys(known).at(-1)}). Start that version, or restore an older copy of the database.`,
    { cause },
  );
}

/** PostgreSQL's code for a lock that was not free within the patience. */
const lockNotAvailable = '55P03';
/**
 * While a migration waits for a table, all others wait behind it. Of Pailou's own statements few hold a lock for longer. A dump does: the
 * migration then makes room for the others, and begins again.
 */
const lockPatienceMs = 10_000;
const pauseMs = 5_000;

async function migrateOnce(
  database: Database,
  migrations: Readonly<Record<string, Migration>>,
  last?: string,
): Promise<MigrationResultSet> {
  const patient = database.patient?.(lockPatienceMs);
  const migrator = new Migrator({
    db: patient ?? database.query,
    provider: { getMigrations: async () => migrations },
    migrationTableName: 'llm_migration',
    migrationLockTableName: 'llm_migration_lock',
    // Versions of the same time add migrations whose numbers lie before the last one of another.
    allowUnorderedMigrations: true,
  });
  try {
    return await (last === undefined ? migrator.migrateToLatest() : migrator.migrateTo(last));
  } finally {
    await patient?.destroy();
  }
}

async function migrateWithRoom(database: Database, migrations: Readonly<Record<string, Migration>>, last?: string): Promise<string[]> {
  for (;;) {
    try {
      if (await isNewer(database, migrations)) {
        await refuseBroken(database, migrations);
        return [];
      }
    } catch (thrown) {
      throw database.explain(thrown);
    }
    const { error, results } = await migrateOnce(database, migrations, last);
    if (error === undefined) return (results ?? []).map((result) => result.migrationName);
    if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
      throw newerTables(migrations, error);
    }
    if ((error as { code?: string }).code !== lockNotAvailable) throw database.explain(error);
    await sleep(pauseMs);
  }
}

/**
 * The names of the applied migrations, up to `last` when given. None on the database of a newer version that only added to the tables
 * (decision 55). `homeIssuer` is the first configured issuer; rows of versions without issuers belong to its people. `logger` gets a line for a
 * long wait. Throws `storage_unavailable` when the database is unavailable, and `internal_error` when it is newer than this program.
 */
export async function migrate(
  database: Database,
  homeIssuer: string | null = null,
  last?: string,
  logger: Logger | null = null,
): Promise<string[]> {
  const stopReports = logger === null ? null : reportMigrationWaits(database, logger);
  try {
    return await migrateWithRoom(database, migrationsOf(homeIssuer), last);
  } finally {
    stopReports?.();
  }
}

/** Counts of migrations, read without a change. Throws `internal_error` where `migrate` would. */
export async function tableState(database: Database): Promise<{ applied: number; waiting: number; newer: number }> {
  const known = migrationsOf(null);
  try {
    const applied = await appliedOn(database);
    const waiting = Object.keys(known).filter((name) => !applied.has(name)).length;
    const newer = [...applied].filter((name) => !Object.hasOwn(known, name)).length;
    if (newer > 0) await refuseBroken(database, known);
    if (newer > 0 && waiting > 0) throw newerTables(known);
    return { applied: applied.size, waiting, newer };
  } catch (thrown) {
    throw database.explain(thrown);
  }
}
