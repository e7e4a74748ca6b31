/** Invalid input of every kind gets a clear error with field and remedy, without a crash or a stack trace. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const path = '/v1/chat/completions';
const good = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };

function expectClean(answer: Answer, status: number, code: string): void {
  expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  expect(Object.keys(answer.json.error).toSorted()).toEqual(expect.arrayContaining(['code', 'message', 'param', 'type']));
  expect(answer.json.error.code).toBe(code);
  expect(answer.json.request_id).toBeTruthy();
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d|at Object|at async/);
}

describe('a bad body', () => {
  const cases: Record<string, { body: string | undefined; status: number; code: string; param?: string }> = {
    none: { body: undefined, status: 400, code: 'invalid_request' },
    empty: { body: '', status: 400, code: 'invalid_json' },
    'not JSON': { body: '{"model":', status: 400, code: 'invalid_json' },
    'a list': { body: '[]', status: 400, code: 'invalid_request' },
    null: { body: 'null', status: 400, code: 'invalid_request' },
    '10,000 deep': {
      body: `{"model":"demo/echo","messages":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      status: 400,
      code: 'invalid_request',
    },
    '10,000 deep objects': {
      body: `{"model":"demo/echo","x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
      status: 400,
      code: 'invalid_request',
    },
    '30 MB': { body: JSON.stringify({ ...good, user: 'x'.repeat(30_000_000) }), status: 413, code: 'body_too_large' },
    'no messages': { body: '{"model":"demo/echo"}', status: 400, code: 'invalid_request', param: 'messages' },
    'empty messages': { body: '{"model":"demo/echo","messages":[]}', status: 400, code: 'invalid_request', param: 'messages' },
    'wrong type of model': {
      body: '{"model":7,"messages":[{"role":"user","content":"x"}]}',
      status: 400,
      code: 'invalid_request',
      param: 'model',
    },
    'wrong type of stream': { body: JSON.stringify({ ...good, stream: 'yes' }), status: 400, code: 'invalid_request', param: 'stream' },
    'a message without role': {
      body: '{"model":"demo/echo","messages":[{"content":"x"}]}',
      status: 400,
      code: 'invalid_request',
      param: 'messages[0].role',
    },
    'unknown model': { body: JSON.stringify({ ...good, model: 'demo/ecko' }), status: 404, code: 'model_not_found', param: 'model' },
    ['__proto__']: {
      body: '{"__proto__":{"admin":true},"model":"demo/echo","messages":[{"role":"user","content":"x"}]}',
      status: 400,
      code: 'invalid_request',
    },
    'model named __proto__': { body: JSON.stringify({ ...good, model: '__proto__' }), status: 404, code: 'model_not_found' },
    'model twice': {
      body: '{"model":"demo/echo","model":"demo/slow","messages":[{"role":"user","content":"x"}]}',
      status: 400,
      code: 'invalid_request',
    },
  };
  const send = (body: string | undefined) =>
    gateway.as('user', 'POST', path, body, body === '' ? { 'content-type': 'application/json' } : {});
  for (const [name, { body, status, code, param }] of Object.entries(cases)) {
    it(`${name}: ${status} ${code}`, async () => {
      const answer = await send(body);
      expectClean(answer, status, code);
      expect(answer.json.error.param).toBe(param ?? answer.json.error.param);
    });
  }

  it('another content type is 415 and names the accepted one', async () => {
    const answer = await gateway.as('user', 'POST', path, 'model=demo/echo', { 'content-type': 'application/x-www-form-urlencoded' });
    expectClean(answer, 415, 'unsupported_media_type');
  });

  it('a near miss names only models that the caller may see', async () => {
    await gateway.as('admin', 'POST', '/api/models', { name: 'secret-one', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
    const answer = await gateway.as('user', 'POST', path, { ...good, model: 'secret-on' });
    expect(answer.text).not.toContain('secret-one');
    const admin = await gateway.as('admin', 'POST', path, { ...good, model: 'secret-on' });
    expect(admin.json.error.message).toContain('secret-one');
  });
});

describe('bad HTTP', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
      setTimeout(() => socket.destroy(), 1_500).unref();
    });

  it('two Authorization headers are refused', async () => {
    const token = await gateway.token('user');
    const body = JSON.stringify(good);
    const answer = await raw(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer other\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(answer).toContain('Authorization');
  });

  it('Content-Length with Transfer-Encoding, and bytes that are not HTTP, are refused', async () => {
    expect(await raw(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400/,
    );
    expect(await raw('hello gate\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
  });

  it('headers beyond 64 kB are 431', async () => {
    expect(await raw(`GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'a'.repeat(70_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431/,
    );
  });

  it('an unknown address is 404, a wrong method 405 with Allow', async () => {
    expectClean(await gateway.as(null, 'GET', '/v2/nothing'), 404, 'not_found');
    const wrong = await gateway.as(null, 'DELETE', '/v1/models');
    expectClean(wrong, 405, 'method_not_allowed');
    expect(wrong.headers.get('allow')).toContain('GET');
  });
});

describe('bad control calls', () => {
  it('deeply nested specs and `__proto__` are refused', async () => {
    const deep = `{"name":"x","spec":{"kind":"demo","options":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}}`;
    expectClean(await gateway.as('admin', 'POST', '/api/providers', deep), 400, 'invalid_request');
    const poisoned = '{"name":"x","spec":{"kind":"demo","options":{"__proto__":{"x":1}}}}';
    expect((await gateway.as('admin', 'POST', '/api/providers', poisoned)).status).toBe(400);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('an address of the cloud’s metadata service is refused at save, in every spelling', async () => {
    for (const base of [
      'http://169.254.169.254/v1',
      'http://[::ffff:a9fe:a9fe]/v1',
      'http://2852039166/v1',
      'http://0xa9fea9fe/v1',
      'http://100.100.100.200/',
    ]) {
      const answer = await gateway.as('admin', 'POST', '/api/providers', {
        name: 'meta',
        spec: { kind: 'openai-compatible', options: { base_url: base } },
      });
      expect(answer.status, base).toBe(400);
      expect(answer.json.error.param, base).toContain('base_url');
    }
  });
});

it('still serves afterwards', async () => {
  expect((await gateway.as('user', 'POST', path, good)).status).toBe(200);
});
