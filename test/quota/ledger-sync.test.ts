/** The times at which the money counters are read from the ledger. */
import { expect, it, vi } from 'vitest';
import { compileLimits, limitRule } from '../../src/config/limit-index.ts';
import { createLedgerSync } from '../../src/quota/ledger-sync.ts';
import type { Quota } from '../../src/quota/quota.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import type { Snapshot } from '../../src/types/snapshot.ts';
import { memoryLogger } from '../storage/databases.ts';

const rule = (name: string, spec: object) => limitRule({ id: name, tenant: 'acme', name }, limitSpec.parse(spec));
const ming = { issuer: 'https://auth.example', subject: 'ming', client: null, key: null, roles: [] };

it('a limit that was replaced until a date includes the spend of that time', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 11, 1, 9) });
  try {
    const spend = { currency: 'USD', per_day: '1' };
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const limits = compileLimits([
      rule('everybody', { subject_type: 'user', spend }),
      rule('more', { subject_type: 'user', subject: 'https://auth.example#ming', spend, replaces: 'everybody', expires_at: until }),
    ]);
    const view = { limits, models: new Map() };
    const known = new Set<string>();
    const quota = { spent: async (key: string) => void known.add(key.split('.')[0] ?? '') } as unknown as Quota;
    const sync = createLedgerSync({
      quota,
      reader: { since: async (_tenant, moments) => [{ ...ming, model: 'm', currency: 'USD', since: moments.map(() => 5) }] },
      current: () => ({ tenants: new Map([['acme', view]]) }) as unknown as Snapshot,
      flush: async () => {},
      logger: memoryLogger(),
    });
    sync.refresh();
    await sync.settled();
    expect([...known]).toEqual(['{acme}:more']);
    await vi.advanceTimersByTimeAsync(3_600_000);
    await sync.settled();
    expect([...known]).toEqual(['{acme}:more', '{acme}:everybody']);
    expect(vi.getTimerCount(), 'no other limit ends').toBe(0);
    sync.close();
  } finally {
    vi.useRealTimers();
  }
});
