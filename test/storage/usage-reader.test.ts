/** Usage reports: exact on both databases, however the runs were recorded. */
import { describe, expect, it } from 'vitest';
import { createLedger } from '../../src/storage/ledger.ts';
import { createUsageReader, type UsageDimension, type UsageLine, type UsagePage } from '../../src/storage/usage-reader.ts';
import type { PersonId } from '../../src/types/person.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { databaseKinds, migrated } from './databases.ts';
import { runRecord } from './records.ts';

const day = 20_000;
const at = (days: number, hour = 12): number => (day + days) * 86_400_000 + hour * 3_600_000;
const run = (over: Partial<RunRecord>): RunRecord =>
  runRecord({
    startedAt: at(0),
    deployment: 'gpt#v/up',
    capability: 'model/gpt',
    usage: { inputTokens: 10, outputTokens: 2, cachedInputTokens: 4 },
    cost: 100,
    currency: 'CNY',
    ...over,
  });

describe.each(databaseKinds)('usage on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('sums every run once, by any dimension', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const skill = run({ capability: 'skill/sum', usage: null, cost: null, currency: null, deployment: null });
    const records = [
      run({}),
      run({ startedAt: at(0, 23) }),
      run({ startedAt: at(1, 0), subject: 'u-2', client: 'web', key: 'k1' }),
      // A fallback: the answering model counts.
      run({ deployment: 'claude#v/opus', cost: 7, currency: 'USD' }),
      run({ outcome: 'error', usage: null, cost: null, deployment: null, currency: null }),
      run({ outcome: 'aborted', usage: { inputTokens: 1, outputTokens: 1, estimated: true }, cost: null, currency: null }),
      skill,
      run({ parent: skill.id, root: skill.id, via: 'skill/sum' }),
      run({ tenant: 'other' }),
      run({ startedAt: at(9) }),
    ];
    for (const record of [...records, ...records]) ledger.record(record);
    await ledger.flush();
    for (const record of records) ledger.record(record);
    await ledger.flush();

    const reader = createUsageReader(database);
    const ask = async (by: UsageDimension[], person: PersonId | null = null) =>
      (await reader.report({ tenant: 'acme', person, from: day, to: day + 2, by, after: null, limit: 100 })).lines.map(
        ({ of, currency, calls, runs, input_tokens: input, cost }) => [...by.map((each) => of[each]), currency, calls, runs, input, cost],
      );
    expect(await ask([])).toEqual([
      [null, 3, 3, 1, 0],
      ['CNY', 3, 4, 40, 0.0004],
      ['USD', 1, 1, 10, 0.000007],
    ]);
    expect(await ask(['day'])).toContainEqual(['2024-10-05', 'CNY', 1, 1, 10, 0.0001]);
    expect(await ask(['user', 'key', 'client'])).toContainEqual(['https://auth.example#u-2', 'k1', 'web', 'CNY', 1, 1, 10, 0.0001]);
    expect(await ask(['model'])).toEqual(
      expect.arrayContaining([
        ['claude', 'USD', 1, 1, 10, 0.000007],
        ['gpt', 'CNY', 3, 4, 40, 0.0004],
        [null, null, 1, 1, 0, 0],
      ]),
    );
    expect(await ask(['skill'])).toContainEqual(['sum', 'CNY', 0, 1, 10, 0.0001]);
    expect(await ask(['skill'])).toContainEqual(['sum', null, 1, 1, 0, 0]);
    const issuer = 'https://auth.example';
    expect(await ask(['user'], { issuer, subject: 'u-2' })).toEqual([[`${issuer}#u-2`, 'CNY', 1, 1, 10, 0.0001]]);
    expect(await ask(['user'], { issuer: 'https://partner.example', subject: 'u-2' }), 'the same subject of another issuer').toEqual([]);
    const whole = { tenant: 'acme', person: null, from: day, to: day + 2 };
    const {
      lines: [line],
    } = await reader.report({ ...whole, by: [], after: null, limit: 100 });
    expect(line).toMatchObject({ failed: 1, aborted: 1, estimated: 1, unpriced: 1 });

    // The same lines in pages of two.
    // The last one has days without a run between those with some, more than are read at once.
    const pages = [
      { ...whole, by: ['day', 'user', 'model'] },
      { ...whole, by: ['skill'] },
      { ...whole, by: [] },
      { ...whole, from: day - 300, to: day + 400, by: ['day', 'user'] },
    ] as const;
    for (const asked of pages) {
      const { lines } = await reader.report({ ...asked, after: null, limit: 100 });
      const paged: UsageLine[] = [];
      for (let after: string | null = null, more = true; more;) {
        const page: UsagePage = await reader.report({ ...asked, after, limit: 2 });
        expect(page.lines.length).toBeLessThanOrEqual(2);
        paged.push(...page.lines);
        after = page.next;
        more = after !== null;
      }
      expect(paged).toEqual(lines);
      expect(lines.some(({ of }) => of.day === '2024-10-13')).toBe(asked.to > day + 9);
    }
    await expect(reader.report({ ...whole, by: ['day'], after: 'e30', limit: 2 })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.skipIf(missing)('is correct with several concurrent writers', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const other = await place.open();
    const writers = [database, other].map((each, index) =>
      createLedger({ database: each, dataDir: `${place.dataDir}/${index}`, logger: place.logger, intervalMs: 5 }),
    );
    for (let round = 0; round < 40; round++) {
      for (const [index, writer] of writers.entries())
        for (let each = 0; each < 25; each++)
          writer.record(run({ subject: `u-${(each * (index + 3)) % 25}`, capability: `model/m${each % 5}`, deployment: null }));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    for (const writer of writers) await writer[Symbol.asyncDispose]();
    const { lines } = await createUsageReader(database).report({
      tenant: 'acme',
      person: null,
      from: day,
      to: day + 1,
      by: ['user', 'model'],
      after: null,
      limit: 1_000,
    });
    expect(lines.reduce((sum, { runs }) => sum + runs, 0)).toBe(2_000);
    expect(lines.reduce((sum, { cost }) => sum + cost, 0)).toBeCloseTo(0.2, 9);
    expect(
      place.logger.lines.filter(({ level }) => level !== 'debug'),
      'no batch had to wait for another in a circle',
    ).toEqual([]);
  });
});
