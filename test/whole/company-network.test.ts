/** Requests as company networks and browsers send them: compressed, from other origins, below a path, with careless slashes. */
import { createServer, request as sendHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

const page = 'https://chat.company.example';
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ PAILOU_CORS_ORIGINS: `${page}, http://localhost:3000`, PAILOU_BODY_LIMIT: '200000' });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const chat = JSON.stringify({ model: 'demo/echo', messages: [{ role: 'user', content: 'Hello 你好' }] });

async function post(path: string, body: Buffer | string, headers: Record<string, string>): Promise<Response> {
  const authorization = `Bearer ${await gateway.token('admin')}`;
  return fetch(`${gateway.url}${path}`, {
    method: 'POST',
    body: body as never,
    headers: { authorization, 'content-type': 'application/json', ...headers },
  });
}

describe('a body with content-encoding', () => {
  const encodings: readonly [string, (text: string) => Buffer][] = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['identity', (text) => Buffer.from(text)],
  ];
  test.each(encodings)('%s is decoded for calls and the control API', async (name, encode) => {
    const answer = await post('/v1/chat/completions', encode(chat), { 'content-encoding': name });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Hello 你好');
    const refused = await post('/api/models', encode('{"name":1}'), { 'content-encoding': name });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('"param":"name"')]);
  });

  test.each(['compress', 'gzip, br', 'constructor', 'aws-chunked'])('%s is refused with 415 and what is accepted', async (name) => {
    const answer = await post('/v1/chat/completions', gzipSync(chat), { 'content-encoding': name });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({
      error: { param: 'content-encoding', message: expect.stringContaining('gzip, br, zstd, deflate') },
    });
  });

  test('that grows beyond the limit is refused as every body of that size, and the memory is returned', async () => {
    const bomb = JSON.stringify({ model: 'demo/echo', messages: [{ role: 'user', content: 'a'.repeat(50_000_000) }] });
    for (const [name, encode] of encodings.filter(([each]) => ['gzip', 'br', 'zstd'].includes(each))) {
      const answer = await post('/v1/chat/completions', encode(bomb), { 'content-encoding': name });
      expect([name, answer.status]).toEqual([name, 413]);
    }
    // Empty blocks of deflate decode to nothing and never end.
    const endless = Buffer.concat(Array.from({ length: 60_000 }, () => Buffer.from([0, 0, 0, 255, 255])));
    const answer = await post('/v1/chat/completions', endless, { 'content-encoding': 'deflate' });
    expect(answer.status).toBe(413);
  });

  test.each([
    ['gzip', gzipSync(chat)],
    ['deflate', deflateSync(chat)],
    ['deflate', deflateRawSync(chat)],
  ])('%s may be followed by bytes without a meaning', async (name, body) => {
    const answer = await post('/v1/chat/completions', Buffer.concat([body, Buffer.alloc(8)]), { 'content-encoding': name });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Hello 你好');
  });

  test.each([
    ['gzip', gzipSync(chat).subarray(0, 40)],
    ['br', Buffer.from('not brotli at all, by no means')],
    ['zstd', zstdCompressSync(chat).subarray(0, 30)],
    ['deflate', deflateSync(chat).subarray(0, 30)],
  ])('%s that is cut or damaged is a malformed request', async (name, body) => {
    const answer = await post('/v1/chat/completions', body, { 'content-encoding': name });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: 'content-encoding' } });
  });
});

describe('no body is no error', () => {
  test.each([
    ['DELETE', '/api/models/nothing', 404],
    ['DELETE', '/mcp', 405],
    ['POST', '/api/mcp-servers/demo/sync', 200],
    ['GET', '/api/me', 200],
  ])('%s %s with a content type', async (method, path, status) => {
    const authorization = `Bearer ${await gateway.token('admin')}`;
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await fetch(`${gateway.url}${path}`, { method, headers: { authorization, 'content-type': type } });
      const text = await answer.text();
      expect([type, answer.status, text]).toEqual([type, status, expect.not.stringMatching(/invalid_json|unsupported_media_type/)]);
    }
  });

  test('where a body is needed, the error says so', async () => {
    const answer = await gateway.as('admin', 'POST', '/api/models', undefined, { 'content-type': 'application/json' });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid_json']);
  });
});

describe('web pages of other origins', () => {
  const ask = (path: string, init: RequestInit & { headers: Record<string, string> }) => fetch(`${gateway.url}${path}`, init);

  test('that are listed may call, and read errors and headers', async () => {
    const preflight = await ask('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: {
        origin: page,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(page);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type,x-stainless-os');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();

    const token = `Bearer ${await gateway.token('admin')}`;
    const json = { origin: page, 'content-type': 'application/json' };
    const answers = {
      whole: await ask('/v1/chat/completions', { method: 'POST', headers: { ...json, authorization: token }, body: chat }),
      streamed: await ask('/v1/chat/completions', {
        method: 'POST',
        headers: { ...json, authorization: token },
        body: JSON.stringify({ ...JSON.parse(chat), stream: true }),
      }),
      'without a token': await ask('/v1/models', { headers: { origin: page } }),
      'unknown address': await ask('/v1/nothing', { headers: { origin: page } }),
      'bad JSON': await ask('/v1/chat/completions', { method: 'POST', headers: { ...json, authorization: token }, body: '{' }),
      mcp: await ask('/mcp', {
        method: 'POST',
        headers: { ...json, authorization: token, accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      }),
      metadata: await ask('/.well-known/oauth-protected-resource/mcp', { headers: { origin: page } }),
    };
    for (const [what, { headers }] of Object.entries(answers)) {
      expect([what, headers.get('access-control-allow-origin')]).toEqual([what, page]);
      expect(headers.get('vary')).toBe('origin');
      expect(headers.get('access-control-expose-headers')).toContain('mcp-session-id');
    }
    expect([answers.whole.status, answers.streamed.status, answers['without a token'].status, answers.mcp.status]).toEqual([
      200, 200, 401, 200,
    ]);
  });

  test('that are not listed, and the control API, get nothing', async () => {
    for (const [path, origin] of [
      ['/v1/models', 'https://evil.example'],
      ['/v1/models', `${page}.evil.example`],
      ['/v1/models', 'null'],
      ['/api/me', page],
      ['/auth/session', page],
    ] as const) {
      const answer = await ask(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } });
      expect([path, origin, answer.headers.get('access-control-allow-origin')]).toEqual([path, origin, null]);
    }
  });

  test('find no answer in a shared cache that was meant for another origin or for none', async () => {
    for (const headers of [{}, { origin: 'https://evil.example' }]) {
      const answer = await ask('/.well-known/oauth-protected-resource/mcp', { headers });
      expect([headers, answer.headers.get('vary'), answer.headers.get('access-control-allow-origin')]).toEqual([headers, 'origin', null]);
    }
  });

  test('need the setting', async () => {
    await using other = await startGateway();
    const answer = await fetch(`${other.url}/v1/models`, { headers: { origin: page } });
    expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([null, null]);
    await expect(startGateway({ PAILOU_CORS_ORIGINS: 'https://a.example/path' })).rejects.toThrow(/PAILOU_CORS_ORIGINS/);
  });
});

test('trailing and doubled slashes lead to the same address', async () => {
  for (const path of [
    '/v1/models/',
    '//v1/models',
    '/v1//models//',
    '/v1/models/?x=1',
    '/api/me/',
    '/docs/',
    '/docs//',
    '//openapi.json',
  ]) {
    expect([path, (await gateway.as('admin', 'GET', path)).status]).toEqual([path, 200]);
  }
  expect((await gateway.as('admin', 'POST', '/v1/chat/completions/', JSON.parse(chat))).status).toBe(200);
  expect((await gateway.as('admin', 'PUT', '/v1//chat/completions/', {})).status).toBe(405);
});

test('a name with slashes needs no encoding in the control API', async () => {
  const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'team/a/b', spec })).status).toBe(201);
  for (const path of ['/api/models/team/a/b', '/api/models/team%2Fa%2Fb', '/api/models//team/a/b/']) {
    const { status, json } = await gateway.as('admin', 'GET', path);
    expect([path, status, json.name]).toEqual([path, 200, 'team/a/b']);
  }
  expect((await gateway.as('admin', 'PUT', '/api/models/team/a/b', { spec: { ...spec, tags: ['x'] } })).json.spec.tags).toEqual(['x']);
  const moved = await gateway.as('admin', 'POST', '/api/models/team/a/b/owner', { owner: 'admin' });
  expect([moved.status, moved.text]).toEqual([200, expect.stringContaining('"owner":"admin"')]);
  expect((await gateway.as('admin', 'DELETE', '/api/models/team/a/b')).status).toBe(204);
  expect((await gateway.as('admin', 'GET', '/api/models/team/a/b')).status).toBe(404);
});

test('the name of a team may be followed by a part of its own', async () => {
  const made = await gateway.as('admin', 'POST', '/api/teams', { name: 'eu/shop', spec: { role: 'sales' } });
  expect(made.status).toBe(201);
  for (const path of ['/api/teams/eu/shop/members', '/api/teams/eu%2Fshop/members'])
    expect((await gateway.as('admin', 'GET', path)).json.data, path).toEqual([]);
});

test('the name of a team, a service account, a grant or a limit with slashes needs none either', async () => {
  const specs: Readonly<Record<string, object>> = {
    teams: { role: 'research' },
    'service-accounts': { roles: ['user'] },
    grants: { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'view' },
    limits: { subject_type: 'user', capability: 'model/*', requests_per_minute: 100 },
    models: { deployments: [{ provider: 'demo', model: 'echo' }] },
  };
  for (const [collection, spec] of Object.entries(specs)) {
    // `members` follows the name of a team alone.
    const name = collection === 'teams' ? 'eu/lab' : 'eu/members';
    expect((await gateway.as('admin', 'POST', `/api/${collection}`, { name, spec })).status, collection).toBe(201);
    for (const path of [`/api/${collection}/${name}`, `/api/${collection}/${encodeURIComponent(name)}`]) {
      const { status, json } = await gateway.as('admin', 'GET', path);
      expect([path, status, json.name]).toEqual([path, 200, name]);
    }
    expect((await gateway.as('admin', 'DELETE', `/api/${collection}/${name}`)).status, collection).toBe(204);
  }
});

test('the page of the documentation works over plain http and loads nothing from elsewhere', async () => {
  const answer = await gateway.as(null, 'GET', '/docs');
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/upgrade-insecure-requests|https:|validator/);
});

describe.each(['removes it', 'passes it on'])('below a path, behind a proxy that %s', (way) => {
  test('every address that the gateway names begins with the path and is found there', async () => {
    let port = 0;
    const proxy = createServer((incoming, outgoing) => {
      const path = incoming.url ?? '';
      if (!path.startsWith('/llm/')) return void outgoing.writeHead(404).end('not here');
      const onward = sendHttp(
        { port, method: incoming.method, headers: incoming.headers, path: way === 'removes it' ? path.slice('/llm'.length) : path },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/llm`;
    try {
      await using below = await startGateway({ PAILOU_PUBLIC_URL: base });
      port = Number(below.env['PAILOU_PORT']);
      const authorization = `Bearer ${await below.token('admin')}`;
      expect((await fetch(`${base}/v1/models`, { headers: { authorization } })).status).toBe(200);

      const challenge = (await fetch(`${base}/mcp`, { method: 'POST' })).headers.get('www-authenticate') ?? '';
      const metadata = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
      expect(metadata).toBe(`${base}/.well-known/oauth-protected-resource/mcp`);
      expect(await (await fetch(metadata)).json()).toMatchObject({ resource: `${base}/mcp`, resource_documentation: `${base}/docs` });
      // The place of RFC 9728 3.1, for a proxy that passes it on.
      const byRule = await fetch(`${below.url}/.well-known/oauth-protected-resource/llm/mcp`);
      expect(await byRule.json()).toMatchObject({ resource: `${base}/mcp` });

      for (const address of ['/docs', '/docs/']) {
        const text = await (await fetch(`${base}${address}`)).text();
        const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => new URL(file, `${base}${address}`).href);
        expect(files.length).toBeGreaterThan(3);
        for (const file of files) expect([file, (await fetch(file)).status]).toEqual([file, 200]);
      }
      const described = (await (await fetch(`${base}/openapi.json`)).json()) as { servers: unknown };
      expect(described.servers).toEqual([{ url: '/llm' }]);
      expect(await (await fetch(`${base}/`)).json()).toMatchObject({ documentation: '/llm/docs' });

      const login = await fetch(`${base}/auth/login?return_to=/docs`, { redirect: 'manual' });
      expect(login.status).toBe(303);
      expect(login.headers.getSetCookie()[0]).toContain('; Path=/llm;');
      expect(new URL(login.headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe(`${base}/auth/callback`);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
