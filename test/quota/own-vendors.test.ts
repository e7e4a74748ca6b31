/** Spend at developers' own vendors counts in no budget: neither reserved, nor settled, nor read from the ledger. */
import { describe, expect, it } from 'vitest';
import { compileLimits, limitRule } from '../../src/config/limit-index.ts';
import { createQuota } from '../../src/quota/quota.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { createSpendReader } from '../../src/storage/spend-reader.ts';
import { Run } from '../../src/telemetry/run.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import { compilePrice } from '../../src/types/price.ts';
import type { TenantView } from '../../src/types/snapshot.ts';
import { principal } from '../extensions/mcp/services.ts';
import { databaseKinds, memoryLogger } from '../storage/databases.ts';
import { runRecord } from '../storage/records.ts';

const price = compilePrice({ currency: 'USD', input: '1000000', output: '1000000' });
const spec = limitSpec.parse({ subject_type: 'tenant', spend: { currency: 'USD', per_day: '10' } });
const limits = compileLimits([limitRule({ id: 'l', tenant: 'acme', name: 'company' }, spec)]);
const view = { limits } as unknown as TenantView;
const capability = { kind: 'model', name: 'm', tenant: 'acme', owner: null, tags: [] } as never;
const limited = (restricted: boolean) => ({
  name: 'm',
  capability,
  deployments: [{ price, provider: restricted ? { restricted: true } : {} }],
  spec: { limits: { total_ms: 1_000 } },
});
const size = () => ({ inputTokens: 1, outputTokens: 1 });

describe('a budget of the company', () => {
  it('is not changed by calls to a developer’s own provider, whatever that reports', async () => {
    const quota = createQuota({ logger: memoryLogger(), shared: null, withoutRedis: 'local' });
    for (let call = 0; call < 5; call++) {
      const own = await quota.take(view, principal, limited(true), () => ({ inputTokens: 40_000_000, outputTokens: 40_000_000 }));
      expect(own?.refused).toBeNull();
      const run = new Run(
        { record: (record) => own?.settle(record) },
        { principal, requestId: 'r', capability: 'model/m', operation: 'chat', streamed: false, revision: 1 },
      );
      run.answeredBy('m#own/up', price, true);
      run.used({ inputTokens: 40_000_000, outputTokens: 40_000_000 });
      run.end('complete');
    }
    const company = await quota.take(view, principal, limited(false), size);
    expect(company?.refused, 'all of it is still there').toBeNull();
    company?.settle({ usage: { inputTokens: 1, outputTokens: 9 }, cost: 10_000_000, costFemto: 0, currency: 'USD' });
    expect((await quota.take(view, principal, limited(false), size))?.refused).toMatchObject({ code: 'budget_exhausted' });
  });
});

describe.each(databaseKinds)('the ledger on $name', (kind) => {
  it.skipIf(kind.missing)('records the cost, and counts it in no budget', async () => {
    await using place = await kind.createMigrated();
    const database = await place.open();
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const at = Date.now();
    for (const over of [{ unbudgeted: true, cost: 900 }, { cost: 5 }, { unbudgeted: false, cost: 2 }])
      ledger.record(runRecord({ startedAt: at, currency: 'USD', ...over }));
    await ledger.flush();
    const spent = await createSpendReader(database).since('acme', [0]);
    expect(spent.map(({ since }) => since)).toEqual([[7]]);
  });
});
