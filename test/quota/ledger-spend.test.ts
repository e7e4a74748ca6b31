/** The counters of budgets, from the sums of a company of many people. */
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { spentCounters } from '../../src/quota/ledger-spend.ts';
import { createSpendReader } from '../../src/storage/spend-reader.ts';
import type { TenantView } from '../../src/types/snapshot.ts';
import { databaseKinds, migrated } from '../storage/databases.ts';

const people = 5_000;

it('are added up in several turns of the event loop', async () => {
  const { place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]);
  await using _place = place;
  await sql`insert into llm_spend (tenant, span, start, issuer, subject, client, key_id, roles, model, currency, cost, cost_femto)
    with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n < ${sql.lit(people - 1)})
    select 'acme', 'day', 0, '', 'u-' || n, '', '', 'user', 'm', 'USD', 10, 0 from numbers`.execute(database.query);
  const rule = {
    id: 'each',
    tenant: 'acme',
    name: 'each',
    timeZone: 'UTC',
    spec: {
      subject_type: 'user',
      subject: '*',
      capability: 'model/*',
      shared: false,
      per_model: false,
      spend: { currency: 'USD', total: 5 },
    },
  } as never;
  const view = { models: new Map(), limits: { rules: [rule], find: () => [rule] } } as unknown as TenantView;
  const reader = createSpendReader(database);
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns++;
    if (counting) setImmediate(count);
  };
  const counted = {
    since: async (...asked: Parameters<typeof reader.since>) => {
      const rows = await reader.since(...asked);
      setImmediate(count);
      return rows;
    },
  };
  const counters = await spentCounters(counted, { tenant: 'acme', view, now: Date.now() }, () => true);
  counting = false;
  expect(counters.size).toBe(people);
  expect(turns, 'a turn for at most 500 people').toBeGreaterThanOrEqual(people / 500 - 1);
});
