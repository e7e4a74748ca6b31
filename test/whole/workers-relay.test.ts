/** What a worker relays arrives as if there were none: people whom only the primary process knows, refusals, and bodies that are not read. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Connection, type Reply } from './connection.ts';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
const connections: Connection[] = [];
const chat = '/v1/chat/completions';
const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };

beforeAll(async () => {
  gateway = await startGateway({ PAILOU_WORKERS: '2', PAILOU_BODY_LIMIT: '100000' });
  for (let index = 0; index < 4; index++) connections.push(new Connection(gateway.url));
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await gateway[Symbol.asyncDispose]();
});

const onEach = async (method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply[]> => {
  const replies: Reply[] = [];
  for (const connection of connections) replies.push(await connection.ask(method, path, headers, body));
  return replies;
};
const bearer = async () => ({ authorization: `Bearer ${await gateway.token('user')}` });

it('a key works on every connection, although its owner has been seen by the primary process alone', async () => {
  const { key } = (await gateway.as('user', 'POST', '/api/keys', {})).json as { key: string };
  for (const { status, text } of await onEach('POST', chat, { authorization: `Bearer ${key}` }, hello)) expect(status, text).toBe(200);
});

it('a wrong token is refused on every connection with the same challenge, and counted for the node', async () => {
  for (const { status, headers } of await onEach('POST', chat, { authorization: 'Bearer wrong' }, hello)) {
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toContain('realm="pailou"');
  }
  expect((await gateway.as('admin', 'GET', '/metrics')).text).toContain(
    `pailou_refusals_total{code="token_invalid"} ${connections.length}`,
  );
});

it('a refusal before the body is read reaches the caller, in the shape of the format', async () => {
  const headers = await bearer();
  for (const { status } of await onEach('POST', chat, { ...headers, 'content-type': 'text/plain' }, hello)) expect(status).toBe(415);
  const large = { ...hello, user: 'x'.repeat(150_000) };
  for (const { status, text } of await onEach('POST', chat, headers, large))
    expect([status, text]).toEqual([413, expect.stringContaining('body_too_large')]);
  for (const { status, text } of await onEach('POST', '/v1/messages', headers, { ...hello, max_tokens: 5, model: 'none' })) {
    expect(status).toBe(404);
    expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  }
});

it('a body that is no object is refused on every connection as by one process', async () => {
  const headers = await bearer();
  for (const body of [null, [], 'text', 7])
    for (const { status, text } of await onEach('POST', chat, headers, body)) {
      expect(status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'invalid_request' } });
    }
});

it('two Authorization headers are refused, also where the request is relayed', async () => {
  const { authorization } = await bearer();
  for (const path of [chat, '/api/me']) {
    const answer = await connections[0]?.ask('POST', path, { authorization: [authorization, authorization] as unknown as string }, hello);
    expect([answer?.status, path]).not.toEqual([200, path]);
  }
});

it('a stop during relayed requests answers each', async () => {
  const asking = Array.from({ length: 20 }, () =>
    gateway.as('admin', 'GET', '/api/models').then(
      ({ status }) => status,
      () => 'not connected',
    ),
  );
  await gateway.gateway.stop();
  const outcomes = new Set(await Promise.all(asking));
  expect(new Set([200, 503, 'not connected'])).toEqual(new Set([200, 503, 'not connected', ...outcomes]));
});
