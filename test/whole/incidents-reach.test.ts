/** Published incidents in which an authenticated user got too much access. incidents.test.ts has those before authentication. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Person } from './companies.ts';
import { chat, chief, codeOf, developer, other, user, type Scene, setScene } from './incident-scene.ts';

let scene: Scene;
let companies: Scene['companies'];
let vendor: Scene['vendor'];

beforeAll(async () => {
  scene = await setScene();
  ({ companies, vendor } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());

describe('LiteLLM CVE-2026-30623, CVE-2026-42271: a stdio server registered with any key', () => {
  it('is not possible by changing a server of another kind, by taking one over, or with a key', async () => {
    const http = { kind: 'http', options: { url: `${vendor.url}/mcp` } };
    const stdio = { kind: 'stdio', options: { command: 'node', args: ['-e', 'process.exit()'] } };
    await companies.must(developer, 'POST', '/api/mcp-servers', { name: 'mine', spec: http });
    expect((await companies.as(developer, 'PUT', '/api/mcp-servers/mine', { spec: stdio })).status).toBe(403);
    // A server that an administrator created and transferred stays out of the new owner's control.
    await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'given', owner: developer.subject, spec: stdio });
    const changed = { ...stdio, options: { command: 'node', args: ['-e', 'process.exit(1)'] } };
    for (const spec of [changed, http]) expect((await companies.as(developer, 'PUT', '/api/mcp-servers/given', { spec })).status).toBe(403);
    expect((await companies.as(developer, 'POST', '/api/mcp-servers/test', { name: 'given', spec: changed })).status).toBe(403);
    const { key } = await companies.keyOf(chief);
    for (const [method, path] of [
      ['POST', '/api/mcp-servers'],
      ['PUT', '/api/mcp-servers/given'],
      ['POST', '/api/mcp-servers/test'],
    ] as const)
      expect((await companies.with(key, method, path, { name: 'x', spec: stdio })).status).toBe(403);
    await companies.must(chief, 'DELETE', '/api/mcp-servers/given');
    await companies.must(chief, 'DELETE', '/api/mcp-servers/mine');
  });
});

describe('LiteLLM CVE-2026-47101, CVE-2026-47102: scopes of a key stored unchecked, a role given to oneself', () => {
  it('a key has at most the rights of its owner, whatever was requested', async () => {
    const viewer: Person = { subject: 'vera', tenant: 'default', roles: ['viewer'] };
    const made = await companies.must(viewer, 'POST', '/api/keys', {
      permissions: ['llm:model:view', 'llm:model:use'],
      capabilities: ['model/*'],
    });
    expect(made.json.permissions).toEqual(['llm:model:view']);
    expect((await companies.with(String(made.json.key), 'POST', '/v1/chat/completions', chat())).status).toBe(403);
    for (const permissions of [['llm:model:manage'], ['*'], ['llm:*:*'], ['admin'], [], 'llm:model:use'])
      expect((await companies.as(chief, 'POST', '/api/keys', { permissions })).status, String(permissions)).toBe(400);
  });

  it('users cannot change their own role', async () => {
    const words = { roles: ['admin'], user_role: 'proxy_admin', role: 'admin', permissions: ['llm:model:manage'], tenant: 'theirs' };
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      for (const path of ['/api/me', '/api/users/ursula', '/user/update', '/auth/session'])
        expect((await companies.as(user, method, path, words)).status, `${method} ${path}`).toBeOneOf([404, 405]);
    expect((await companies.as(user, 'GET', '/api/me')).json).toMatchObject({ roles: ['user'], tenant: 'default' });
  });
});

describe('better-auth CVE-2025-61928, and mass assignment: whose it is, as the body says', () => {
  const foreign = [
    'tenant',
    'tenant_id',
    'tenantId',
    'roles',
    'created_by',
    'createdBy',
    'updated_by',
    'id',
    'revision',
    'subject',
    'userId',
    'user_id',
  ];
  const model = { deployments: [{ provider: 'vendor', model: 'm' }] };
  const bodies: Readonly<Record<string, object>> = {
    '/api/providers': { name: 'assigned', spec: { kind: 'demo' } },
    '/api/models': { name: 'assigned', spec: model },
    '/api/skills': { name: 'assigned', spec: { description: 'x', model: 'gpt', options: { instructions: 'x' } } },
    '/api/mcp-servers': { name: 'assigned', spec: { kind: 'http', options: { url: 'http://127.0.0.1:9/mcp' } } },
    '/api/limits': { name: 'assigned', spec: { subject_type: 'tenant', requests_per_minute: 1_000_000 } },
    '/api/grants': { name: 'assigned', spec: { subject_type: 'user', subject: 'x', capability: 'model/gpt', action: 'use' } },
    '/api/keys': { title: 'assigned' },
  };

  it('is refused, and nothing is created', async () => {
    for (const [path, body] of Object.entries(bodies)) {
      for (const name of path === '/api/keys' ? [...foreign, 'owner', 'issuer', 'hash', 'key'] : foreign) {
        for (const person of [chief, developer]) {
          const answer = await companies.as(person, 'POST', path, { ...body, [name]: 'theirs' });
          // Rows that only administrators may create are refused to others before their body is read.
          expect(answer.status, `${path} ${name}`).toBeOneOf(person === chief ? [400] : [400, 403]);
        }
      }
      expect((await companies.must(chief, 'GET', `${path}?limit=500`)).text).not.toContain('assigned');
    }
  });

  it('is refused in a change too, and in nested objects', async () => {
    for (const name of [...foreign, 'name']) {
      expect((await companies.as(chief, 'PUT', '/api/models/gpt', { spec: model, [name]: 'theirs' })).status, name).toBe(400);
      expect((await companies.as(chief, 'PUT', '/api/models/gpt', { spec: { ...model, [name]: 'theirs' } })).status, name).toBe(400);
    }
  });
});

describe('ContextForge #3891: a server that does not exist stands for all of them', () => {
  it('is not found, in any spelling', async () => {
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
    const headers = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' };
    for (const name of [
      'nothing',
      'undefined',
      'null',
      '*',
      '%2A',
      '%20',
      '0',
      '__proto__',
      'constructor',
      'demo%2F',
      'demo%00',
      '..%2Fdemo',
      "'%20or%201=1",
    ]) {
      const answer = await companies.as(chief, 'POST', `/mcp/${name}`, list, headers);
      expect([answer.status, codeOf(answer)], name).toEqual([404, 'not_found']);
      const call = await companies.as(
        chief,
        'POST',
        '/v1/chat/completions',
        chat({ tools: [{ type: 'mcp', server_label: decodeURIComponent(name) }] }),
      );
      expect(call.status, name).toBeOneOf([400, 404]);
    }
  });
});

describe('new-api CVE-2026-30886: the id of a colleague’s work', () => {
  it('is visible to its owner only, in the same tenant too', async () => {
    vendor.behave(
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            id: 'x',
            object: 'chat.completion',
            created: 1,
            model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: 'private words' }, finish_reason: 'stop' }],
          }),
        ),
    );
    const kept = await companies.must(user, 'POST', '/v1/responses', { model: 'gpt', input: 'Hi' });
    const id = String(kept.json.id);
    const run = String(kept.headers.get('x-pailou-trace-id'));
    for (const person of [other, developer]) {
      for (const [method, path] of [
        ['GET', `/v1/responses/${id}`],
        ['DELETE', `/v1/responses/${id}`],
        ['GET', `/api/runs/${run}`],
      ] as const)
        expect((await companies.as(person, method, path)).status, `${method} ${path}`).toBe(404);
      expect((await companies.as(person, 'POST', '/v1/responses', { model: 'gpt', input: 'x', previous_response_id: id })).status).toBe(
        404,
      );
      expect((await companies.as(person, 'GET', '/api/runs?limit=500')).text).not.toContain(user.subject);
      expect((await companies.as(person, 'GET', `/api/usage?user=${user.subject}`)).status).toBe(403);
      const { id: keyId } = await companies.keyOf(user);
      expect((await companies.as(person, 'GET', `/api/keys/${keyId}`)).status).toBe(404);
      expect((await companies.as(person, 'POST', `/api/keys/${keyId}/rotate`, {})).status).toBe(404);
    }
    expect((await companies.as(user, 'GET', `/v1/responses/${id}`)).text).toContain('private words');
  });
});

describe('new-api CVE-2026-25591: wildcards in a search', () => {
  it('are ordinary characters, without extra cost', async () => {
    const wild = ['%', '_', `${'%'.repeat(140)}x`, '%_'.repeat(100), '\\%', '[a-z]', '(a+)+$'];
    for (const word of wild) {
      const escaped = encodeURIComponent(word);
      for (const query of [`actor=${escaped}`, `target=${escaped}`, `target=${escaped}*`, `act=${escaped.slice(0, 60)}`]) {
        const answer = await companies.as(chief, 'GET', `/api/audit?${query}`);
        expect(answer.status === 200 ? answer.json.data : [], query).toEqual([]);
        expect(answer.status, query).toBeOneOf([200, 400]);
      }
      expect((await companies.as(chief, 'GET', `/api/runs?capability=${escaped}`)).json.data).toEqual([]);
      expect((await companies.as(chief, 'GET', `/api/access/matrix?capability=${escaped}`)).json.data).toEqual([]);
      expect((await companies.as(chief, 'GET', `/api/usage?user=${escaped}`)).json.data).toEqual([]);
    }
  });
});
