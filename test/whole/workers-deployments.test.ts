/** What one worker process learns of a deployment by its calls holds in every worker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from './connection.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

const count = 3;
let gateway: TestGateway;
let vendor: Vendor;
const connections: Connection[] = [];

const price = { currency: 'USD', input: 0, output: '5000' };
const bearer = async (role: 'user') => ({ authorization: `Bearer ${await gateway.token(role)}` });
const hello = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hi' }] });
const admin = async (method: string, path: string, body: unknown): Promise<void> => {
  const answer = await gateway.as('admin', method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
};

beforeAll(async () => {
  vendor = await startVendor();
  gateway = await startGateway({ PAILOU_WORKERS: String(count), PAILOU_GRACE_SECONDS: '2' }, startProcess);
  await admin('POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  await admin('POST', '/api/grants', { spec: { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' } });
  for (let index = 0; index < count; index++) connections.push(new Connection(gateway.url));
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

describe('what one worker learns of a deployment', () => {
  const model = (name: string, more: object) =>
    admin('POST', '/api/models', {
      name,
      spec: { deployments: [{ provider: 'vendor', model: 'up', price }], retry: { same: 0, longest_wait_ms: 0 }, ...more },
    });
  /** The calls that the vendor gets by one call on the connection. */
  const callsBy = async (connection: Connection, name: string): Promise<number> => {
    const asked = vendor.requests.length;
    await connection.ask('POST', '/v1/chat/completions', await bearer('user'), hello(name));
    return vendor.requests.length - asked;
  };
  /** The calls of the vendor until each of the other workers sends none any more. */
  const callsOfOthers = async (name: string): Promise<number> => {
    const before = vendor.requests.length;
    for (const connection of connections.slice(1))
      await eventually(
        () => callsBy(connection, name),
        (calls) => calls === 0,
      );
    return vendor.requests.length - before;
  };

  it('an open circuit is open on every worker', async () => {
    const failures = 30;
    await model('broken', { circuit: { failures, rate: 1, minimum: 100_000, open_ms: 600_000 } });
    vendor.behave((_request, response) => void response.writeHead(500).end('{}'));
    const headers = await bearer('user');
    // One more, because the first call of a tenant is relayed.
    for (let call = 0; call <= failures; call++) await connections[0]?.ask('POST', '/v1/chat/completions', headers, hello('broken'));
    // Fewer than would open the circuits of the others by themselves.
    expect(await callsOfOthers('broken')).toBeLessThan(failures);
    vendor.behave((request, response) => answerOk(request, response));
  });

  it('a vendor that asks for a pause gets it from every worker', async () => {
    await model('busy', {});
    vendor.behave((_request, response) => void response.writeHead(429, { 'retry-after': '50' }).end('{}'));
    await connections[0]?.ask('POST', '/v1/chat/completions', await bearer('user'), hello('busy'));
    vendor.behave((request, response) => answerOk(request, response));
    await callsOfOthers('busy');
    for (const connection of connections) expect(await callsBy(connection, 'busy')).toBe(0);
  });
});
