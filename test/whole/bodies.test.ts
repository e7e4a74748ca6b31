/** Request bodies: refused unread where possible, bounded for each person and each node, and never awaited without limit. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { audience, makeKey, startOauthService } from '../auth/oauth-service.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
/** Accepts the tokens of the other gateway, and waits less for slow bodies. */
let impatient: TestGateway;
let vendor: Vendor;
const sockets: Socket[] = [];

const megabyte = 1_048_576;

beforeAll(async () => {
  gateway = await startGateway({ PAILOU_BODIES_PER_PERSON_MB: '4', PAILOU_BODIES_MB: '20', PAILOU_SLOW_BODY_SECONDS: '120' });
  impatient = await startGateway({
    PAILOU_SLOW_BODY_SECONDS: '1',
    PAILOU_OAUTH_ISSUER: gateway.gateway.issuer,
    PAILOU_OAUTH_PRESET: 'generic',
    PAILOU_OAUTH_AUDIENCE: gateway.url,
  });
  vendor = await startVendor();
  const provider = { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } };
  expect((await gateway.as('admin', 'POST', '/api/providers', provider)).status).toBe(201);
  const deployments = [{ provider: 'vendor', model: 'up' }];
  for (const [name, operations] of Object.entries({ chat: ['chat'], words: ['transcriptions'] }))
    expect((await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments, operations } })).status).toBe(201);
  const grant = { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' };
  expect((await gateway.as('admin', 'POST', '/api/grants', { spec: grant })).status).toBe(201);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  vendor.behave((request, response) => answerOk(request, response));
  const { data } = (await gateway.as('admin', 'GET', '/api/limits')).json;
  for (const { name } of data) await gateway.as('admin', 'DELETE', `/api/limits/${name}`);
});
afterAll(async () => {
  await impatient[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

interface Sender {
  readonly socket: Socket;
  /** The received text so far. */
  readonly text: () => string;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<unknown>;
}

interface Start {
  readonly who: Role | null;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends the head of a request without its body. */
async function start({ who, path = '/v1/chat/completions', headers }: Start, at = gateway): Promise<Sender> {
  const authorization = who === null ? [] : [`authorization: Bearer ${await gateway.token(who)}`];
  const socket = connect({ port: Number(new URL(at.url).port), host: '127.0.0.1', allowHalfOpen: false });
  sockets.push(socket);
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1');
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const lines = Object.entries({ host: 'pailou', 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  await once(socket, 'connect');
  socket.write([`POST ${path} HTTP/1.1`, ...authorization, ...lines, '', ''].join('\r\n'));
  return { socket, text: () => text, closed };
}

const statusOf = ({ text }: Sender): number =>
  Number(/^HTTP\/1\.1 (\d+)/m.exec(text().replace(/^HTTP\/1\.1 100[^\n]*\n\r?\n/, ''))?.[1] ?? 0);
const answered = (sender: Sender): Promise<number> => eventually(async () => statusOf(sender), Boolean);

/** Writes until the server closes the connection; resolves with the number of accepted bytes. */
async function pour({ socket, closed }: Sender, bytes: number): Promise<number> {
  const connection = { isOpen: true };
  const end = closed.then(() => {
    connection.isOpen = false;
  });
  let taken = 0;
  const part = Buffer.alloc(65_536, ' ');
  while (connection.isOpen && taken < bytes) {
    taken += part.length;
    if (!socket.write(part)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), end]);
  }
  await end;
  return taken;
}

const chat = { model: 'chat', messages: [{ role: 'user', content: 'Hi' }] };
const ask = (who: Role) => gateway.as(who, 'POST', '/v1/chat/completions', chat);
const limit = async (name: string, spec: object): Promise<void> =>
  expect((await gateway.as('admin', 'POST', '/api/limits', { name, spec })).status).toBe(201);
const errorOf = ({ text }: Sender): unknown => (JSON.parse(text().slice(text().indexOf('\r\n\r\n{') + 4)) as { error: unknown }).error;

describe('a body that is not read', () => {
  it('of a caller without a token, with an invalid one, without the right, or to no address gets its answer at once and is never read', async () => {
    const large = { 'content-length': String(19 * megabyte) };
    const cases: readonly [number, Start][] = [
      [401, { who: null, headers: large }],
      [401, { who: null, headers: { ...large, authorization: 'Bearer nonsense' } }],
      [401, { who: null, headers: { 'transfer-encoding': 'chunked' } }],
      [403, { who: 'user', path: '/api/providers', headers: large }],
      [404, { who: null, path: '/nowhere', headers: large }],
      [404, { who: 'user', path: '/nowhere', headers: large }],
      [413, { who: 'user', headers: { 'content-length': String(21 * megabyte) } }],
      [413, { who: null, path: '/auth/exchange', headers: large }],
      [415, { who: 'user', headers: { ...large, 'content-type': 'text/plain' } }],
    ];
    const ends = async ([status, each]: readonly [number, Start]): Promise<void> => {
      const sender = await start(each);
      expect(await answered(sender), JSON.stringify(each)).toBe(status);
      expect(sender.text().toLowerCase()).toContain('connection: close');
      await sender.closed;
    };
    await Promise.all(cases.map(ends));
  });

  it('is not read to its end, however much its sender writes', async () => {
    const sender = await start({ who: null, headers: { 'content-length': String(200 * megabyte) } });
    // The kernel buffers of both ends are far smaller.
    expect(await pour(sender, 200 * megabyte)).toBeLessThan(100 * megabyte);
    expect(statusOf(sender)).toBe(401);
  });

  it('gets no 100-continue, which is sent only when the body is read', async () => {
    const expecting = { 'content-length': '100000', expect: '100-continue' };
    const withoutToken = await start({ who: null, headers: expecting });
    await withoutToken.closed;
    expect(withoutToken.text()).toMatch(/^HTTP\/1\.1 401/);
    const known = await start({ who: 'user', headers: expecting });
    await eventually(async () => known.text().startsWith('HTTP/1.1 100 Continue'), Boolean);
    known.socket.write(
      JSON.stringify({ ...chat, user: 'u'.repeat(200_000) })
        .slice(0, 60)
        .padEnd(100_000, 'x'),
    );
    expect(await answered(known), 'it was read').toBe(400);
  });
});

describe('a limit that counts every call of a person', () => {
  it('of concurrent calls refuses the second body unread, while the first is answered and while it arrives', async () => {
    await limit('one', { subject_type: 'user', concurrent_calls: 1 });
    const release = Promise.withResolvers<void>();
    vendor.behave(async (request, response) => {
      await release.promise;
      answerOk(request, response);
    });
    const before = vendor.requests.length;
    const first = ask('user');
    await eventually(
      async () => vendor.requests.length,
      (count) => count > before,
    );
    for (const length of [19 * megabyte, 1_000]) {
      const second = await start({ who: 'user', headers: { 'content-length': String(length) } });
      expect(await answered(second)).toBe(429);
      expect(second.text()).toMatch(/\r\nretry-after: \d+\r\n/i);
      expect(errorOf(second)).toMatchObject({ code: 'rate_limited', message: expect.stringContaining('"one" allows 1 calls at once') });
      second.socket.destroy();
    }
    release.resolve();
    expect((await first).status).toBe(200);
    const arriving = await start({ who: 'user', headers: { 'content-length': '3000000' } });
    const late = await start({ who: 'user', headers: { 'content-length': '3000000' } });
    // Either of the two may arrive first.
    const [loser] = await eventually(
      async () => [arriving, late].filter((each) => statusOf(each) !== 0),
      (refused) => refused.length === 1,
    );
    expect(loser === undefined ? 0 : statusOf(loser)).toBe(429);
    for (const each of [arriving, late]) each.socket.destroy();
    await eventually(
      async () => (await ask('user')).status,
      (status) => status === 200,
    );
  });

  it('of requests a minute refuses later requests unread, and counts the refusal', async () => {
    await limit('minute', { subject_type: 'user', requests_per_minute: 1 });
    expect((await ask('user')).status).toBe(200);
    const late = await start({ who: 'user', headers: { 'content-length': '3000000' } });
    expect(await answered(late)).toBe(429);
    expect(late.text()).toMatch(/x-ratelimit-remaining-requests: 0/i);
    expect((await gateway.as('admin', 'GET', '/metrics')).text).toContain(
      'pailou_limit_refusals_total{limit="minute",measure="requests"} 1',
    );
    const other = await start({ who: 'developer', headers: { 'content-length': '3000000' } });
    other.socket.write(' '.repeat(3_000_000));
    expect(await answered(other), 'others have their own, and are read').toBe(400);
  });

  it('of single models admits every body, because the model is not known yet', async () => {
    await limit('single', { subject_type: 'user', capability: 'model/chat', requests_per_minute: 1 });
    await limit('each', { subject_type: 'user', per_model: true, requests_per_minute: 1 });
    expect((await ask('user')).status).toBe(200);
    const next = await start({ who: 'user', headers: { 'content-length': '3000000' } });
    next.socket.write(' '.repeat(3_000_000));
    expect(await answered(next), 'it is read').toBe(400);
  });
});

describe('many concurrent bodies', () => {
  const forms = { 'content-type': 'multipart/form-data; boundary=x' };

  /** A request whose body has its room. What an earlier test has freed may still count for a moment. */
  async function reserve(who: Role, bytes: number): Promise<Sender> {
    const startOf = (size: number): Promise<Sender> => start({ who, headers: { 'content-length': String(size) } });
    const [sender, next] = [await startOf(bytes), await startOf(3_900_000)];
    await eventually(async () => statusOf(sender) === 429 || statusOf(next) === 429, Boolean);
    next.socket.destroy();
    if (statusOf(sender) === 0) return sender;
    sender.socket.destroy();
    return reserve(who, bytes);
  }

  it('of one person stay within that person’s limit, of every kind, and leave room for others', async () => {
    const kinds: readonly Omit<Start, 'who'>[] = [
      { headers: { 'content-length': '1000000' } },
      { path: '/v1/audio/transcriptions', headers: { 'content-length': '1000000', ...forms } },
      { path: '/mcp', headers: { 'content-length': '1000000' } },
      { path: '/v1/messages', headers: { 'content-length': '1000000' } },
    ];
    const senders: Sender[] = [];
    for (let each = 0; each < 40; each++) senders.push(await start({ who: 'user', ...(kinds[each % kinds.length] as Omit<Start, 'who'>) }));
    const refused = (): Sender[] => senders.filter((each) => statusOf(each) === 429);
    await eventually(async () => refused().length === 36, Boolean);
    for (const each of refused()) {
      expect(each.text()).toMatch(/\r\nretry-after: 5\r\n/i);
      await each.closed;
    }
    const rows = await start({ who: 'developer', path: '/api/models', headers: { 'content-length': '3900000' } });
    expect((await ask('developer')).status, 'somebody else goes on').toBe(200);
    expect((await ask('user')).status, 'what is small still fits').toBe(200);
    for (const each of senders) each.socket.destroy();
    rows.socket.destroy();
    await eventually(
      async () => {
        const again = await start({ who: 'user', headers: { 'content-length': '3900000' } });
        await new Promise((resolve) => setTimeout(resolve, 50));
        const status = statusOf(again);
        again.socket.destroy();
        return status;
      },
      (status) => status === 0,
    );
  });

  it('without a declared size count by the bytes read', async () => {
    const sender = await start({ who: 'user', headers: { 'transfer-encoding': 'chunked' } });
    const waiting = await reserve('user', 3_000_000);
    const part = Buffer.alloc(65_536, ' ');
    for (let count = 0; count < 20; count++) sender.socket.write(Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')]));
    expect(await answered(sender)).toBe(429);
    await sender.closed;
    waiting.socket.destroy();
  });

  it('of all people together queue the rest, and a body that can never fit gets an error', async () => {
    const upload = await start({
      who: 'user',
      path: '/v1/audio/transcriptions',
      headers: { 'content-length': String(21 * megabyte), ...forms },
    });
    expect(await answered(upload)).toBe(413);
    const people: readonly Role[] = ['user', 'developer'];
    const alone: Sender[] = [];
    for (const who of people)
      alone.push(await start({ who, path: '/v1/audio/transcriptions', headers: { 'content-length': String(10 * megabyte), ...forms } }));
    const late = await start({ who: 'admin', headers: { 'content-length': String(2 * megabyte) } });
    expect(await answered(late)).toBe(429);
    expect(errorOf(late)).toMatchObject({ message: expect.stringContaining('no room') });
    expect(alone.map(statusOf)).toEqual([0, 0]);
  });
});

it('a body whose sender disconnects during authentication uses no memory and counts in no limit', async () => {
  const [known, next] = [await makeKey('known'), await makeKey('next')];
  await using service = await startOauthService([known]);
  const issuer = { PAILOU_OAUTH_ISSUER: service.issuer, PAILOU_OAUTH_PRESET: 'generic', PAILOU_OAUTH_AUDIENCE: audience };
  await using node = await startGateway({ PAILOU_BODIES_PER_PERSON_MB: '4', ...issuer });
  const bearerOf = (token: string) => ({ authorization: `Bearer ${token}` });
  const admin = bearerOf(await service.sign(known, { sub: 'root', roles: ['admin'], scope: 'llm:*:*' }));
  await node.as(null, 'POST', '/api/limits', { name: 'one', spec: { subject_type: 'user', concurrent_calls: 1 } }, admin);
  // A token of an unknown key, for which the gateway fetches the keys of the service.
  const person = bearerOf(await service.sign(next));
  const headers = { ...person, 'content-length': '3900000', expect: '100-continue' };
  const answerOfService = Promise.withResolvers<void>();
  service.keys = [known.publicJwk, next.publicJwk];
  service.delay = answerOfService.promise;
  const before = service.hits.get('/jwks');
  const leaver = await start({ who: null, headers }, node);
  await eventually(
    async () => service.hits.get('/jwks'),
    (hits) => hits !== before,
  );
  leaver.socket.destroy();
  // The gateway has seen the end of the first connection when it answers on a later one.
  expect((await node.as(null, 'GET', '/livez')).status).toBe(200);
  answerOfService.resolve();
  expect((await node.as(null, 'GET', '/api/me', undefined, person)).status).toBe(200);
  const again = await start({ who: null, headers }, node);
  await once(again.socket, 'data');
  expect(again.text()).toMatch(/^HTTP\/1\.1 100 Continue/);
});

describe('a body that arrives too slowly', () => {
  it('ends with 408, of every kind, and releases its memory', async () => {
    const headers = { 'content-length': '3900000' };
    const kinds: readonly Start[] = [
      { who: 'user', headers },
      { who: 'user', path: '/v1/audio/transcriptions', headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' } },
      { who: 'admin', path: '/api/models', headers },
      { who: 'admin', headers: { 'transfer-encoding': 'chunked' } },
    ];
    const ends = async (each: Start): Promise<void> => {
      const sender = await start(each, impatient);
      const drip = setInterval(() => sender.socket.write(each.headers['transfer-encoding'] === undefined ? '{' : '1\r\n{\r\n'), 100);
      await sender.closed;
      clearInterval(drip);
      expect(statusOf(sender), each.path).toBe(408);
      expect(errorOf(sender)).toMatchObject({ code: 'request_timeout', message: expect.stringContaining('too slowly') });
    };
    await Promise.all(kinds.map(ends));
  });

  it('continues while it arrives fast enough', async () => {
    const text = JSON.stringify({ ...chat, user: 'u'.repeat(40_000) });
    const sender = await start({ who: 'user', headers: { 'content-length': String(text.length) } }, impatient);
    for (let from = 0; from < text.length; from += 8_192) {
      sender.socket.write(text.slice(from, from + 8_192));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(await answered(sender), 'it was read, and names a model that is not there').toBe(404);
  });
});
