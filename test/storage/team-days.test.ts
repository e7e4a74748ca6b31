/** The daily sums of teams: a run counts for each team whose role its caller had, on both databases. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createLedger } from '../../src/storage/ledger.ts';
import { createSpendReader } from '../../src/storage/spend-reader.ts';
import { createUsageReader } from '../../src/storage/usage-reader.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { teamSpec } from '../../src/types/team-spec.ts';
import { databaseKinds, migrated } from './databases.ts';
import { runRecord } from './records.ts';

const day = 20_000;
const from = (roles: readonly string[], over: Partial<RunRecord> = {}): RunRecord =>
  runRecord({ tenant: 'acme', roles, startedAt: day * 86_400_000 + 5, ...over });

describe.each(databaseKinds)('the days of teams in $name', (kind) => {
  it.skipIf(kind.missing)('sum the runs of callers with the role of an enabled team, written out and in the tenant', async () => {
    const { place, database } = await migrated(kind);
    await using _place = place;
    const add = async (id: string, tenant: string, role: string, enabled = 1) => {
      const spec = JSON.stringify({ description: 'said "twice"', role, administrators: [] });
      await sql`insert into llm_team (id, tenant, name, spec, enabled, revision, created_at, created_by, updated_at, updated_by)
        values (${id}, ${tenant}, ${id}, ${spec}, ${enabled}, 1, '', '', '', '')`.execute(database.query);
    };
    await add('lab', 'acme', 'research');
    await add('two-words', 'acme', 'night shift');
    await add('shift', 'acme', 'shift');
    await add('off', 'acme', 'research', 0);
    await add('other-tenant', 'rival', 'research');
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const usage = { inputTokens: 3, outputTokens: 2, cachedInputTokens: 0, reasoningTokens: 0 };
    ledger.record(from(['user', 'research'], { usage }));
    ledger.record(from(['research', 'night shift'], { usage, subject: 'u-2' }));
    ledger.record(from(['night shift'], { usage: null }));
    ledger.record(from(['RESEARCH', 'researcher', 'night'], { usage }));
    ledger.record(from([], { usage }));
    await ledger.flush();
    ledger.record(from(['research'], { usage, outcome: 'error' }));
    await ledger.flush();
    const reader = createUsageReader(database);
    const query = { tenant: 'acme', person: null, from: day, to: day + 1, after: null, limit: 100 };
    const { lines } = await reader.report({ ...query, by: ['team'] });
    const sums = (team: string) => {
      const own = lines.filter(({ of }) => of.team === team);
      return [own.reduce((sum, { runs }) => sum + runs, 0), own.reduce((sum, line) => sum + line.input_tokens, 0)];
    };
    expect(new Set(lines.map(({ of }) => of.team))).toEqual(new Set(['lab', 'two-words']));
    expect([sums('lab'), sums('two-words')]).toEqual([
      [3, 9],
      [2, 3],
    ]);
    const own = await reader.report({ ...query, team: 'lab', by: ['user'] });
    expect(own.lines.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
    const all = await reader.report({ ...query, by: [] });
    expect(all.lines.reduce((sum, { runs }) => sum + runs, 0)).toBe(6);
    const spent = await createSpendReader(database).since('acme', [day * 86_400_000]);
    expect(spent.flatMap(({ roles }) => roles).filter((role) => role.includes('shift'))).toContain('night shift');
  });

  it.skipIf(kind.missing)('never keep a run of the tenant out of the ledger, whatever texts the row of a team may hold', async () => {
    const { place, database } = await migrated(kind);
    await using _place = place;
    const texts = [
      'a\u0000b',
      'half \ud800',
      '\udc00',
      '"',
      '\\',
      '\\u0000',
      "'",
      '%',
      '研发 🐉',
      'x'.repeat(256),
      '{"role":"y"}',
      '\u2028',
    ];
    const fields = (text: string): object[] => [
      { role: text },
      { role: 'r', administrator_role: text },
      { role: 'r', administrators: [text] },
    ];
    const accepted = texts.flatMap(fields).flatMap((spec) => teamSpec.safeParse({ ...spec, description: texts.join(' ') }).data ?? []);
    expect(accepted.length).toBeGreaterThan(20);
    for (const [index, spec] of accepted.entries())
      await sql`insert into llm_team (id, tenant, name, spec, enabled, revision, created_at, created_by, updated_at, updated_by)
        values (${`t${index}`}, 'acme', ${`t${index}`}, ${JSON.stringify(spec)}, 1, 1, '', '', '', '')`.execute(database.query);
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    for (const { role } of accepted) ledger.record(from([role]));
    await ledger.flush();
    const { lines } = await createUsageReader(database).report({
      tenant: 'acme',
      person: null,
      from: day,
      to: day + 1,
      after: null,
      limit: 100,
      by: [],
    });
    expect(lines.reduce((sum, { runs }) => sum + runs, 0)).toBe(accepted.length);
  });
});
