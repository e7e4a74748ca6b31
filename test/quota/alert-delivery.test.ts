/** Delivery of alerts: the standard's signature, one sender at a time, and an audit entry for an abandoned alert. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { createOutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import { compileLimits, limitRule } from '../../src/config/limit-index.ts';
import { createAlertDelivery } from '../../src/quota/alert-delivery.ts';
import { webhookHeaders } from '../../src/quota/webhook-signature.ts';
import { createAuditLog } from '../../src/storage/audit.ts';
import { type BudgetAlert, type BudgetAlertStore, createBudgetAlertStore } from '../../src/storage/budget-alert-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { createSecretBox, masterKey, rowContext } from '../../src/storage/secret-box.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import type { Snapshot } from '../../src/types/snapshot.ts';
import { databaseKinds, memoryLogger, type TestDatabase } from '../storage/databases.ts';

describe('the signature of a webhook', () => {
  it('equals the example of Standard Webhooks', () => {
    const headers = webhookHeaders(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '{"test": 2432232314}',
      1_614_265_330_000,
    );
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

/** A webhook that answers with the status that `answer` gives, and what alerts need to reach it. */
async function receiver(place: TestDatabase, database: Database, answer: (body: string) => number) {
  const server = createServer((request, response) => void text(request).then((body) => response.writeHead(answer(body)).end()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const box = createSecretBox({ current: masterKey(Buffer.alloc(32, 7)) });
  const row = { id: 'row', tenant: 'acme', name: 'company' };
  const alerts = { url, secret: box.seal('a secret of some length', rowContext(row)) };
  const spec = { subject_type: 'tenant', spend: { currency: 'USD', per_day: '1', alerts } };
  const parsed = limitSpec.parse({ ...spec, spend: { ...spec.spend, alerts: { url, secret: '***' } } });
  const limits = compileLimits([limitRule({ ...row, spec }, parsed)]);
  const client = createOutboundClient(createOutboundGuard({ allow: ['127.0.0.0/8'] }));
  const audit = createAuditLog({ database, dataDir: place.dataDir, logger: place.logger });
  const results: string[] = [];
  return {
    store: createBudgetAlertStore(database),
    client,
    secrets: box,
    current: () => ({ tenant: () => ({ limits }) }) as unknown as Snapshot,
    audit,
    logger: place.logger,
    results,
    onResult: (limit: string, result: string) => void results.push(`${limit} ${result}`),
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
      await audit[Symbol.asyncDispose]();
    },
  };
}

describe.each(databaseKinds)('alerts on $name', (kind) => {
  const alert = (createdAt: number, threshold = 50) => ({
    tenant: 'acme',
    limitName: 'company',
    rule: 'row.scope',
    counter: 'c',
    period: 'day:2026-12-01',
    threshold,
    body: '{}',
    createdAt,
    periodUntil: createdAt,
  });

  it.skipIf(kind.missing)('are added once, claimed by one node, and kept until they are sent', async () => {
    await using place = await kind.createMigrated();
    const database = await place.open();
    const [one, other] = [createBudgetAlertStore(database), createBudgetAlertStore(await place.open())];
    expect((await Promise.all([one.add([alert(1), alert(1, 80)]), other.add([alert(2), alert(2, 80)])])).reduce((a, b) => a + b)).toBe(2);
    const claims = (await Promise.all([one.claim(10, 20), other.claim(10, 20)])).flat();
    expect(claims.map(({ threshold }) => threshold).toSorted((a, b) => a - b)).toEqual([50, 80]);
    expect(await other.claim(19, 30), 'nobody has it before the claim ends').toEqual([]);
    // Either node may have claimed either alert.
    const idOf = (threshold: number) => claims.find((each) => each.threshold === threshold)?.id;
    await one.close(idOf(50) ?? '');
    await one.prune(100);
    expect((await other.claim(20, 30)).map(({ id, attempts }) => [id, attempts])).toEqual([[idOf(80), 2]]);
    expect(await one.add([alert(3)]), 'what was pruned is of a period that is over').toBe(1);
  });

  it.skipIf(kind.missing)('are abandoned after the last attempt, with an entry in the audit log', async () => {
    await using place = await kind.createMigrated();
    const database = await place.open();
    await using parts = await receiver(place, database, (_body) => 503);
    const { store, audit, results } = parts;
    const begun = Date.now();
    await store.add([alert(begun)]);
    const next = await createAlertDelivery(parts)();
    expect(next, 'the next attempt is later').toBeGreaterThan(begun);
    await store.add([alert(Date.now() - 2 * 86_400_000, 80)]);
    await createAlertDelivery(parts)();
    expect(results.filter((each) => each.endsWith('given_up'))).toEqual(['company given_up']);
    const { data } = await audit.list({ tenant: 'acme', after: null, limit: 10 });
    expect(data).toMatchObject([{ act: 'alert given up', target: 'limit/company', actor: 'pailou' }]);
    expect(data[0]?.detail).toBe('80 % in day:2026-12-01, after 1 attempts: the webhook answered 503');
    expect(JSON.stringify(place.logger.lines)).not.toContain('a secret of some length');
  });

  it.skipIf(kind.missing)('arrive by their thresholds, lowest first, also when the first one has to be sent again', async () => {
    await using place = await kind.createMigrated();
    const database = await place.open();
    const thresholds = [50, 60, 70, 80, 90, 100];
    const received: string[] = [];
    await using parts = await receiver(place, database, (body) => (received.push(body) <= 1 ? 503 : 200));
    await parts.store.add([...thresholds, 1].toReversed().map((threshold) => ({ ...alert(1, threshold), body: String(threshold) })));
    const deliver = createAlertDelivery({ ...parts, giveUpAfterMs: Infinity });
    await deliver();
    expect(received, 'the others wait').toEqual(['1']);
    await expect.poll(() => deliver().then(() => received)).toEqual(['1', '1', ...thresholds.map(String)]);
  });
});

it('a webhook that answers slowly gets each threshold before the claim of it ends', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const slowMs = 9_900;
    const alerts = { url: 'https://hook.test/', secret: '***', at: [10, 20, 30, 40, 50, 60, 70, 80, 90, 100] };
    const spec = limitSpec.parse({ subject_type: 'tenant', spend: { currency: 'USD', per_day: '1', alerts } });
    const box = createSecretBox({ current: masterKey(Buffer.alloc(32, 7)) });
    const row = { id: 'row', tenant: 'acme', name: 'company' };
    const sealed = { ...alerts, secret: box.seal('a secret of some length', rowContext(row)) };
    const limits = compileLimits([limitRule({ ...row, spec: { ...spec, spend: { ...spec.spend, alerts: sealed } } }, spec)]);
    const claimed = alerts.at.map((threshold) => ({ id: `msg_${threshold}`, tenant: 'acme', rule: 'row.scope', body: '{}', threshold }));
    let claimedUntil = 0;
    const answeredAt: number[] = [];
    const store = {
      claim: async (_now: number, until: number) => ((claimedUntil = until), claimed as unknown as BudgetAlert[]),
      nextAt: async () => null,
      close: async () => {},
    } as unknown as BudgetAlertStore;
    const send = async () => {
      vi.setSystemTime(Date.now() + slowMs);
      answeredAt.push(Date.now());
      return { status: 200, body: (async function* () {})() };
    };
    const current = () => ({ tenant: () => ({ limits }) }) as unknown as Snapshot;
    await createAlertDelivery({ store, client: { send }, secrets: box, current, audit: { append() {} }, logger: memoryLogger() })();
    expect(answeredAt).toHaveLength(alerts.at.length);
    expect(answeredAt.filter((at) => at > claimedUntil)).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
