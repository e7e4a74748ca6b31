/** Limits while Redis goes away: a node goes on from what was counted there. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compileLimits, limitRule } from '../../src/config/limit-index.ts';
import { createQuota, type Admission } from '../../src/quota/quota.ts';
import { createRedisStore } from '../../src/quota/redis-store.ts';
import { connectRedis } from '../../src/storage/redis.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import type { TenantView } from '../../src/types/snapshot.ts';
import { principal } from '../extensions/mcp/services.ts';
import { startBreakableProxy } from '../storage/breakable-proxy.ts';
import { memoryLogger } from '../storage/databases.ts';
import { eventually } from '../whole/gateway.ts';

const redisUrl = process.env['PAILOU_TEST_REDIS_URL'];

const capability = { kind: 'model', name: 'm', tenant: 'acme', owner: null, tags: [] } as never;
const limited = { name: 'm', capability, deployments: [], spec: { limits: { total_ms: 1_000 } } };

/** A tenant with one limit, whose counters no other test has. */
function viewWith(spec: object): TenantView {
  const parsed = limitSpec.parse({ subject_type: 'tenant', ...spec });
  return { limits: compileLimits([limitRule({ id: randomUUID(), tenant: 'acme', name: 'limit' }, parsed)]) } as unknown as TenantView;
}

describe.skipIf(redisUrl === undefined)('a node that loses Redis', () => {
  it.each([
    { what: 'requests of the minute', spec: { requests_per_minute: 5 }, tokens: 1, ends: true, before: 3, most: 5 },
    { what: 'tokens of the minute', spec: { tokens_per_minute: 500 }, tokens: 100, ends: false, before: 2, most: 5 },
    { what: 'calls in progress', spec: { concurrent_calls: 3 }, tokens: 1, ends: false, before: 2, most: 3 },
  ])('goes on from the $what that Redis had counted', async ({ spec, tokens, ends, before, most }) => {
    const address = new URL(redisUrl ?? '');
    await using proxy = await startBreakableProxy({ host: address.hostname, port: Number(address.port) });
    address.host = `127.0.0.1:${proxy.port}`;
    await using redis = await connectRedis({ url: address.href, logger: memoryLogger(), patienceMs: 5_000 });
    const isReady = (wanted: boolean) =>
      eventually(
        async () => redis.ready,
        (ready) => ready === wanted,
      );
    await isReady(true);
    const quota = createQuota({ logger: memoryLogger(), shared: createRedisStore(redis, () => {}), withoutRedis: 'local' });
    const view = viewWith(spec);
    const take = async (): Promise<Admission | null> =>
      quota.take(view, principal, limited, () => ({ inputTokens: tokens, outputTokens: 0 }));
    const settle = (taken: Admission | null): void =>
      taken?.settle({ usage: { inputTokens: tokens, outputTokens: 0 }, cost: 0, costFemto: 0, currency: 'USD' });
    const held: (Admission | null)[] = [];
    for (let call = 0; call < before; call++) {
      const taken = await take();
      expect(taken?.refused).toBeNull();
      if (ends) settle(taken);
      else held.push(taken);
    }
    await proxy.disconnect();
    await isReady(false);
    let admitted = before;
    for (let call = 0; call < most + 2; call++) {
      const taken = await take();
      if (taken?.refused !== null) continue;
      admitted++;
      held.push(taken);
    }
    expect(admitted).toBe(most);
    if (!('concurrent_calls' in spec)) return;
    held.forEach(settle);
    expect((await take())?.refused, 'a place is free again').toBeNull();
  });
});
