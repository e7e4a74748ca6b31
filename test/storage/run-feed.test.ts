/** Runs as they are written: to the followers of the node that wrote them, and on PostgreSQL to those of every other node. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { createRunFeed, type RunListener } from '../../src/storage/run-feed.ts';
import { matchesRun, type RunFilter } from '../../src/storage/run-filter.ts';
import { createRunReader, summaryOf } from '../../src/storage/run-reader.ts';
import type { RunTable } from '../../src/storage/schema.ts';
import { databaseKinds, eventually, migrated, type TestDatabase } from './databases.ts';
import { runRecord } from './records.ts';

function nodeOn(database: Database, place: TestDatabase) {
  const feed = createRunFeed(database, place.logger);
  const { dataDir, logger } = place;
  const ledger = createLedger({ database, dataDir, logger, intervalMs: 10, stored: (runs) => feed.stored(runs) });
  const owned = new AsyncDisposableStack();
  owned.use(feed);
  owned.use(ledger);
  return { feed, ledger, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function recorder(): RunListener & { readonly rows: RunTable[]; times: number } {
  const heard = {
    rows: [] as RunTable[],
    times: 0,
    runs: (rows: readonly RunTable[]) => void heard.rows.push(...rows),
    missed: () => heard.times++,
  };
  return heard;
}

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`the feed of runs on ${kind.name}`, () => {
    it('gives a run of this node as the list shows it, and nothing after the follower has left', async () => {
      const { place, database } = await migrated(kind);
      await using _place = place;
      await using node = nodeOn(database, place);
      const heard = recorder();
      const leave = node.feed.follow(heard);
      const run = runRecord();
      node.ledger.record(run);
      await eventually(() => heard.rows.length === 1);
      const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
      const { data } = await reader.list({ tenant: 'acme', owner: null, filter: {}, after: null, limit: 10 });
      expect(heard.rows.map(summaryOf)).toEqual(data);
      leave();
      node.ledger.record(runRecord());
      await node.ledger.flush();
      expect(heard.rows).toHaveLength(1);
    });

    it('matches a run by each filter exactly as the list does', async () => {
      const { place, database } = await migrated(kind);
      await using _place = place;
      await using node = nodeOn(database, place);
      const heard = recorder();
      node.feed.follow(heard);
      const runs = [
        runRecord({ requestId: 'one', key: 'k-1' }),
        runRecord({ tenant: 'other' }),
        runRecord({ subject: 'u-2', capability: 'skill/x' }),
        runRecord({ issuer: 'https://second.example' }),
        runRecord({ outcome: 'error', error: 'upstream_error', startedAt: 1_795_000_005_000, endedAt: 1_795_000_006_000 }),
        runRecord({ outcome: 'aborted' }),
      ];
      for (const run of runs) node.ledger.record(run);
      await eventually(() => heard.rows.length === runs.length);
      const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
      const owner = { issuer: 'https://auth.example', subject: 'u-1' };
      const filters: RunFilter[] = [
        {},
        { requestId: 'one' },
        { key: 'k-1' },
        { outcome: 'aborted' },
        { outcome: 'complete' },
        { error: 'upstream_error' },
        { capability: 'skill/x' },
        { from: 1_795_000_005_000 },
        { to: 1_795_000_005_000 },
        { outcome: 'complete', error: 'upstream_error' },
      ];
      for (const who of [null, owner])
        for (const filter of filters) {
          const { data } = await reader.list({ tenant: 'acme', owner: who, filter, after: null, limit: 50 });
          const matching = heard.rows.filter((row) => matchesRun(row, 'acme', who, filter)).map(({ id }) => id);
          expect(matching.toSorted(), JSON.stringify({ who, filter })).toEqual(data.map(({ id }) => id).toSorted());
        }
    });

    // One process alone writes to SQLite.
    if (kind.name === 'SQLite') return;

    it('gives runs of other nodes, whole and once each, also after many at once', async () => {
      const { place, database } = await migrated(kind);
      await using _place = place;
      await using here = nodeOn(database, place);
      await using there = nodeOn(await place.open(), place);
      const heard = recorder();
      here.feed.follow(heard);
      // The other node notifies from the moment at which it learns of the follower.
      await eventually(async () => {
        there.ledger.record(runRecord({ capability: 'model/first' }));
        await there.ledger.flush();
        await sleep(20);
        return heard.rows.length > 0;
      });
      const many = Array.from({ length: 1_300 }, () => runRecord({ capability: 'model/many' }));
      for (const run of many) there.ledger.record(run);
      const found = (): string[] => heard.rows.filter(({ capability }) => capability === 'model/many').map(({ id }) => id);
      await eventually(() => found().length >= many.length);
      expect(found().toSorted()).toEqual(many.map(({ id }) => id).toSorted());
      const own = runRecord({ capability: 'model/own' });
      here.ledger.record(own);
      await eventually(() => heard.rows.some(({ id }) => id === own.id));
      // A node does not read its own runs again.
      there.ledger.record(runRecord({ capability: 'model/last' }));
      await eventually(() => heard.rows.some(({ capability }) => capability === 'model/last'));
      expect(heard.rows.filter(({ id }) => id === own.id)).toHaveLength(1);
    });

    it('reports what it may have missed when its connection was cut', async () => {
      const { place, database } = await migrated(kind);
      await using _place = place;
      await using node = nodeOn(database, place);
      const heard = recorder();
      node.feed.follow(heard);
      await eventually(() => heard.times === 1);
      const other = await place.open();
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pailou-listen' and datname = current_database()`.execute(
        other.query,
      );
      await eventually(() => heard.times === 2);
    });
  });
}
