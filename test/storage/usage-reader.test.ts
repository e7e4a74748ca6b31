/** Usage reports: exact on both databases, however the runs were recorded. */
import type { KyselyPlugin } from 'kysely';
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
      const parts: (readonly UsageLine[])[] = [];
      for await (const part of reader.all({ ...asked, limit: 2 })) parts.push(part);
      expect(parts.flat()).toEqual(lines);
      expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(2);
      expect(lines.some(({ of }) => of.day === '2024-10-13')).toBe(asked.to > day + 9);
    }
    await expect(reader.report({ ...whole, by: ['day'], after: 'e30', limit: 2 })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.skipIf(missing)('adds up the days once for all lines in any order, and takes no more than a part of them at a time', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const [people, days, limit] = [120, 5, 50];
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    for (let index = 0; index < people * days; index++)
      ledger.record(run({ subject: `u-${index % people}`, startedAt: (day + Math.floor(index / people)) * 86_400_000, deployment: null }));
    await ledger.flush();
    let sums = 0;
    const results: number[] = [];
    const counting: KyselyPlugin = {
      transformQuery({ node }) {
        if (JSON.stringify(node).includes('group by')) sums++;
        return node;
      },
      async transformResult({ result }) {
        results.push(result.rows.length);
        return result;
      },
    };
    const reader = createUsageReader({ ...database, query: database.query.withPlugin(counting) });
    const query = { tenant: 'acme', person: null, from: day, to: day + days, by: ['user', 'day'], limit } as const;
    const read: UsageLine[] = [];
    for await (const part of reader.all(query)) read.push(...part);
    expect(new Set(read.map(({ of }) => `${of.user} ${of.day}`)).size).toBe(people * days);
    expect(read.reduce((total, { runs }) => total + runs, 0)).toBe(people * days);
    expect(sums).toBe(1);
    expect(Math.max(...results)).toBe(limit);
    // Its begin and end, and each part.
    expect(results.length).toBeLessThanOrEqual((people * days) / limit + 5);

    // A reader that leaves after a part: another report finds a free connection and the same lines.
    for await (const part of reader.all(query)) {
      expect(part.length).toBe(limit);
      break;
    }
    for (let report = 0; report < 12; report++) for await (const part of reader.all(query)) if (part.length > 0) break;
    const again: UsageLine[] = [];
    for await (const part of reader.all(query)) again.push(...part);
    expect(again).toEqual(read);
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
