/** What pailou doctor finds about the database: its answer and how late it comes, its tables, and the nodes that are registered in it. */
import { existsSync } from 'node:fs';
import { databasePath, isPostgresUrl, openDatabase } from '../../storage/open-database.ts';
import type { Database } from '../../storage/database.ts';
import { tableState } from '../../storage/migrate.ts';
import { liveNodes } from '../../storage/node-registry.ts';
import { createLogger } from '../../telemetry/log.ts';
import { version } from '../../types/version.ts';
import { check, reasonsOf, type Report } from './doctor-findings.ts';

/** Lists, changes and the ledger send some statements one after the other. */
const slowFromMs = 100;

/** The time of a statement that reads nothing, in milliseconds: the shorter of two tries, because the machine may pause during one. */
async function statementMs(database: Database): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < 2; index++) {
    const from = performance.now();
    await database.ping();
    times.push(performance.now() - from);
  }
  return Math.round(Math.min(...times));
}

/** True: tables are there, so a gateway was started on them. */
async function checkTables(database: Database, report: Report): Promise<boolean> {
  let isSetUp = false;
  await check('tables', report, 'Run the program of the version that made them, or restore an older copy of the database.', async () => {
    const { applied, waiting, newer } = await tableState(database);
    isSetUp = applied > 0;
    if (!isSetUp) return 'there are none yet; the first start makes them';
    if (newer > 0) return `a newer version added ${newer} migrations, which this one (${version}) works with`;
    return waiting === 0 ? `they are those of this version, ${version}` : `${waiting} migrations wait; the next start applies them`;
  });
  return isSetUp;
}

async function checkNodes(database: Database, report: Report): Promise<void> {
  await check('nodes', report, 'Look at the log of the database.', async () => {
    const nodes = await liveNodes(database);
    for (const { host, version: other } of nodes)
      if (other !== version)
        report({
          ok: false,
          about: 'nodes',
          says: `a node on ${host} runs version ${other}, and this program is version ${version}`,
          remedy: 'Finish the upgrade: stop that node and start this version. Or use the program of that version.',
        });
    return nodes.length === 1 ? 'one is registered' : `${nodes.length} are registered`;
  });
}

/** Resolves with true when a gateway was started on this database before. */
export async function checkDatabase({ url, dataDir }: { url: string | null; dataDir: string }, report: Report): Promise<boolean> {
  const about = 'database';
  // Opening SQLite would create the file; the doctor creates nothing.
  if (!isPostgresUrl(url) && !existsSync(databasePath({ url, dataDir }))) {
    report({ ok: true, about, says: `there is none in ${dataDir} yet; the first start creates it` });
    return false;
  }
  try {
    const database = await openDatabase({ url, dataDir, logger: createLogger('silent') });
    try {
      await database.ping();
      const ms = await statementMs(database);
      if (ms > slowFromMs)
        report({
          ok: false,
          about,
          says: `it is slow: a statement that reads nothing takes ${ms} ms`,
          remedy: 'Look at the load of its server and at the network between. Calls go on; changes, lists and the ledger wait for it.',
        });
      else report({ ok: true, about, says: `${url === null ? `SQLite in ${dataDir}` : url.split(':')[0]}, it answers` });
      const isSetUp = await checkTables(database, report);
      if (isSetUp) await checkNodes(database, report);
      return isSetUp;
    } finally {
      await database.close();
    }
  } catch (thrown) {
    const remedy = 'Check PAILOU_DATABASE_URL and PAILOU_DATA_DIR, and that the server runs.';
    report({ ok: false, about, says: reasonsOf(thrown).join(': '), remedy });
    return false;
  }
}
