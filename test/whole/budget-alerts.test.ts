/** Alerts of budgets: signed webhooks at thresholds, sent until they are accepted, each once in a period. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

let gateway: TestGateway;
let vendor: Vendor;

/** Two output tokens cost 0.01: the vendor always answers two. */
const price = { currency: 'USD', input: 0, output: '5000' };
const names = ['thirds', 'people', 'rows', 'kept'];

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  vendor.behave((request, response) => answerOk(request, response));
  const options = { base_url: vendor.url };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options } });
  for (const name of names)
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: 'up', price }] } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const ask = (model: string) =>
  gateway.as('admin', 'POST', '/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'a confidential prompt' }],
    max_tokens: 2,
  });

function budget(model: string, amount: string, { url, secret }: { readonly url: string; readonly secret: string }, more: object = {}) {
  const spend = { currency: 'USD', per_day: amount, alerts: { url, secret } };
  return { subject_type: 'tenant', capability: `model/${model}`, spend, ...more };
}
const save = (name: string, spec: object) => gateway.as('admin', 'POST', '/api/limits', { name, spec });
const thresholds = ({ accepted }: WebhookReceiver): number[] => accepted.map(({ body }) => body.data.threshold_percent);
const arrived = (receiver: WebhookReceiver, count: number) =>
  eventually(
    async () => receiver.accepted.length,
    (found) => found >= count,
    20_000,
  );

describe('alerts of a budget', () => {
  it('are sent at 50, 80 and 100 percent, signed, retried until they are accepted, and once each', async () => {
    await using receiver = await startWebhookReceiver();
    receiver.failures = 2;
    expect((await save('thirds', budget('thirds', '0.03', receiver))).status).toBe(201);
    expect((await ask('thirds')).status).toBe(200);
    expect((await ask('thirds')).status).toBe(200);
    await arrived(receiver, 1);
    expect(thresholds(receiver), 'two of three cents are 66 percent').toEqual([50]);
    expect(receiver.attempts.map(({ id }) => id)).toEqual(Array.from({ length: 3 }, () => receiver.accepted[0]?.id));
    expect((await ask('thirds')).status).toBe(200);
    await arrived(receiver, 3);
    expect(thresholds(receiver), 'lowest first').toEqual([50, 80, 100]);
    expect((await ask('thirds')).status).toBe(429);
    // A changed amount starts no new period, and reading all budgets adds nothing.
    await gateway.as('admin', 'PUT', '/api/limits/thirds', { spec: budget('thirds', '0.06', receiver) });
    expect((await ask('thirds')).status).toBe(200);
    await eventually(
      async () => (await gateway.as(null, 'GET', '/metrics')).text,
      (text) => text.includes('pailou_budget_alerts_total{limit="thirds",result="delivered"} 3'),
    );
    expect(receiver.accepted).toHaveLength(3);
    expect(receiver.attempts.every(({ isSigned }) => isSigned)).toBe(true);
    expect(receiver.accepted[0]?.body).toMatchObject({
      type: 'budget.threshold_reached',
      data: {
        limit: 'thirds',
        subject: { type: 'tenant' },
        capability: 'model/thirds',
        period: { unit: 'day', time_zone: 'UTC' },
        threshold_percent: 50,
        spent: '0.02',
        budget: '0.03',
        currency: 'USD',
      },
    });
    expect(receiver.attempts.map(({ raw }) => raw).join('\n')).not.toContain('confidential');
    expect((await gateway.as(null, 'GET', '/metrics')).text).toContain('pailou_budget_alerts_total{limit="thirds",result="failed"} 2');
  });

  it('name the person of a personal budget', async () => {
    await using receiver = await startWebhookReceiver();
    await save('people', budget('people', '0.01', receiver, { subject_type: 'user' }));
    await ask('people');
    await arrived(receiver, 3);
    expect(receiver.accepted[0]?.body.data.subject).toEqual({ type: 'user', issuer: gateway.gateway.issuer, subject: 'admin' });
  });

  it('keep their secret hidden, and bound to their address', async () => {
    const secret = 'a secret that nobody reads';
    const spec = budget('rows', '1', { url: 'https://hooks.example.com/one', secret });
    expect((await save('rows', spec)).status).toBe(201);
    const row = (await gateway.as('admin', 'GET', '/api/limits/rows')).json;
    expect(row.spec.spend.alerts).toEqual({ url: 'https://hooks.example.com/one', secret: '***', at: [50, 80, 100] });
    expect((await gateway.as('admin', 'PUT', '/api/limits/rows', { spec: row.spec })).status, 'what GET gives, PUT accepts').toBe(200);
    const moved = { ...row.spec, spend: { ...row.spec.spend, alerts: { ...row.spec.spend.alerts, url: 'https://other.example.com/one' } } };
    const refused = await gateway.as('admin', 'PUT', '/api/limits/rows', { spec: moved });
    expect(refused.json.error).toMatchObject({ code: 'configuration_invalid', param: 'spec.spend.alerts.url' });
    expect((await gateway.as('admin', 'GET', '/api/audit?limit=50')).text).not.toContain(secret);
    await gateway.as('admin', 'DELETE', '/api/limits/rows');
  });

  it.each([
    ['http://hooks.example.com/', 'spec.spend.alerts.url', 'https://'],
    ['http://1.1.1.1/', 'spec.spend.alerts.url', 'https://'],
    ['https://169.254.169.254/', 'spec.spend.alerts.url', 'metadata'],
    ['nonsense', 'spec.spend.alerts.url', 'URL'],
  ])('are refused for the address %s', async (url, param, words) => {
    const refused = await save('rows', budget('rows', '1', { url, secret: 'a secret that nobody reads' }));
    expect(refused.status, refused.text).toBe(400);
    expect(refused.json.error.param).toBe(param);
    expect(refused.json.error.message).toContain(words);
  });

  it.each([
    ['short', '16 characters'],
    ['whsec_no base64 at all!', 'base64'],
    ['***', 'write the secret itself'],
  ])('are refused for the secret %s', async (secret, words) => {
    const refused = await save('rows', budget('rows', '1', { url: 'https://hooks.example.com/', secret }));
    expect(refused.json.error).toMatchObject({ param: 'spec.spend.alerts.secret', message: expect.stringContaining(words) });
  });

  it('survive a restart until they are delivered', async () => {
    await using receiver = await startWebhookReceiver();
    receiver.failures = Number.MAX_SAFE_INTEGER;
    await save('kept', budget('kept', '0.02', receiver));
    await ask('kept');
    await eventually(
      async () => receiver.attempts.length,
      (count) => count > 0,
    );
    await gateway.gateway.close(0);
    receiver.failures = 0;
    gateway = await startGateway({ PAILOU_DATA_DIR: gateway.dataDir });
    await arrived(receiver, 1);
    expect(receiver.accepted).toMatchObject([{ id: receiver.attempts[0]?.id, isSigned: true }]);
  });
});
