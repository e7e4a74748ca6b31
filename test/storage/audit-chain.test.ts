/** The hash chain of the audit detects every change of a sealed entry. */
import { describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/storage/audit.ts';
import { createAuditChain, verifyAudit } from '../../src/storage/audit-chain.ts';
import { databaseKinds, eventually, memoryLogger, migrated } from './databases.ts';

describe.each(databaseKinds)('the audit chain on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('seals entries of several nodes, once and without a gap', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const logger = memoryLogger();
    const nodes = await Promise.all(
      [database, await place.open(), await place.open()].map(async (each, index) => ({
        log: createAuditLog({ database: each, dataDir: `${place.dataDir}/${index}`, logger, intervalMs: 10 }),
        chain: createAuditChain({ database: each, logger }),
      })),
    );
    for (let entry = 0; entry < 200; entry++)
      for (const [index, { log }] of nodes.entries())
        log.append({ tenant: 'acme', actor: `node-${index}`, act: 'denied', target: `GET /${entry}`, requestId: 'r' });
    await Promise.all(nodes.map(({ log }) => log[Symbol.asyncDispose]()));
    await Promise.all(nodes.map(({ chain }) => chain.seal()));
    await eventually(async () => (await verifyAudit(database)).entries === 600);
    expect(await verifyAudit(database)).toMatchObject({ ok: true, fault: '' });
    for (const { chain } of nodes) await chain[Symbol.asyncDispose]();
  });

  it.skipIf(missing)('detects a changed entry, a lost one, an added one and a cut end', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using log = createAuditLog({ database, dataDir: place.dataDir, logger: memoryLogger(), intervalMs: 5 });
    await using chain = createAuditChain({ database, logger: memoryLogger() });
    for (let entry = 0; entry < 20; entry++)
      log.append({ tenant: 'acme', actor: 'a', act: 'denied', target: `GET /${entry}`, requestId: 'r' });
    await log.list({ tenant: 'acme', after: null, limit: 1 });
    await chain.seal();
    const good = await verifyAudit(database);
    expect(good).toMatchObject({ ok: true, entries: 20, head: { sequence: 20 } });

    const { query } = database;
    const fifth = await query.selectFrom('llm_audit').selectAll().where('sequence', '=', 5).executeTakeFirstOrThrow();
    const restore = () => query.updateTable('llm_audit').set(fifth).where('id', '=', fifth.id).execute();
    for (const change of [
      { actor: 'somebody else' },
      { target: 'GET /x' },
      { at: '2020-01-01T00:00:00.000Z' },
      { detail: 'x' },
      { hash: 'x' },
    ]) {
      await query.updateTable('llm_audit').set(change).where('id', '=', fifth.id).execute();
      expect(await verifyAudit(database), JSON.stringify(change)).toMatchObject({
        ok: false,
        entries: 4,
        fault: expect.stringContaining('Entry 5'),
      });
      await restore();
    }
    await query.deleteFrom('llm_audit').where('id', '=', fifth.id).execute();
    expect(await verifyAudit(database)).toMatchObject({ ok: false, fault: 'Entry 5 is missing.' });
    await query.insertInto('llm_audit').values(fifth).execute();
    expect(await verifyAudit(database)).toMatchObject({ ok: true });

    await query.deleteFrom('llm_audit').where('sequence', '=', 20).execute();
    expect(await verifyAudit(database)).toMatchObject({ ok: false, fault: 'Entry 20 is missing.' });
  });
});
