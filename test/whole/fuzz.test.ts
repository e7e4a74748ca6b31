/** Randomly changed tokens, keys and bodies: none is accepted, none crashes the gateway, and no secret is revealed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { type Answer, startProcess } from './gateway.ts';
import { randomFrom, inParallel, mutateBody, mutateToken, seed } from './fuzz-mutations.ts';

const canary = 'canary-0b5d1a7e93c2';
const chief = chiefOf('default');
const elsewhere = chiefOf('elsewhere');
const developer: Person = { subject: 'dev', tenant: 'default', roles: ['developer'] };

/** The `kid` in the header of a token. Undefined for what is no token. */
function keyIdOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.trim().split('.')[0] ?? '', 'base64url').toString()).kid;
  } catch {
    return undefined;
  }
}

describe(`a whole gateway (seed ${seed})`, () => {
  let companies: Companies;
  let output: () => string;
  let key: string;

  beforeAll(async () => {
    companies = await startCompanies({ PAILOU_LOG_LEVEL: 'debug' }, async (env) => {
      const started = await startProcess(env);
      ({ output } = started);
      return started;
    });
    await companies.must(chief, 'POST', '/api/providers', { name: 'sealed', spec: { kind: 'openai', options: { api_key: canary } } });
    ({ key } = await companies.keyOf(developer));
  });
  afterAll(() => companies[Symbol.asyncDispose]());

  const alive = async (): Promise<void> => {
    // An accepted change may be a limit that ends every call.
    for (const { name } of (await companies.must(chief, 'GET', '/api/limits?limit=500')).json.data as { name: string }[])
      await companies.must(chief, 'DELETE', `/api/limits/${encodeURIComponent(name)}`);
    const name = `after-${Date.now()}`;
    await companies.must(chief, 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
    await companies.must(developer, 'POST', '/v1/chat/completions', { model: name, messages: [{ role: 'user', content: 'Hi' }] });
    expect(output()).not.toMatch(/"level":(50|60|"error"|"fatal")|unhandled|uncaught/i);
    expect(output()).not.toContain(canary);
    expect((await companies.must(developer, 'GET', '/api/me')).json.polluted).toBeUndefined();
  };
  const faultOf = ({ status, text }: Answer): string | null => {
    if (status >= 500) return `${status} ${text}`;
    if (text.includes(canary)) return `a secret: ${text}`;
    if (/node_modules|\.ts:\d|at Object\.|at async/.test(text)) return `the inside: ${text}`;
    return null;
  };

  it('answers 3,000 changed tokens and keys with 401, or with 503 for an unknown signing key, and reveals nothing of them', async () => {
    const fromSeed = randomFrom(seed);
    const tokens = await Promise.all([chief, developer].map((person) => companies.tokenOf(person)));
    const good = [...tokens, key];
    const keyIds = new Set(tokens.map(keyIdOf));
    const wrong: string[] = [];
    const ways: readonly [string, string, unknown?][] = [
      ['GET', '/api/me'],
      ['GET', '/api/providers'],
      ['POST', '/v1/chat/completions', { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] }],
      ['POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }],
    ];
    await inParallel(3_000, 16, async () => {
      const changed = mutateToken(fromSeed, fromSeed.of(good), tokens);
      // HTTP clients send no other characters in a header.
      if (good.includes(changed.trim()) || !/^[\x21-\x7e]+$/.test(changed)) return;
      const [method, path, body] = fromSeed.of(ways);
      const answer = await companies.with(changed, method, path, body);
      const isOfUnknownKey = answer.status === 503 && answer.json?.error?.code === 'auth_unavailable' && !keyIds.has(keyIdOf(changed));
      const fault = isOfUnknownKey ? null : answer.status === 401 ? faultOf(answer) : `${answer.status} ${answer.text}`;
      if (fault !== null) wrong.push(`${changed} => ${fault}`);
      if (changed.length > 30 && answer.text.includes(changed.slice(-30))) wrong.push(`said again: ${answer.text}`);
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    await alive();
    for (const credential of good) expect((await companies.with(credential, 'GET', '/v1/models')).status).toBe(200);
    for (const secret of good.map((each) => each.slice(-30))) expect(output()).not.toContain(secret);
  }, 240_000);

  it('answers 10,000 changed bodies of administrators without a crash', async () => {
    const fromSeed = randomFrom(seed + 1);
    const model = {
      description: 'x',
      deployments: [{ provider: 'demo', model: 'echo', price: { currency: 'CNY', input: 1, output: 2 } }],
      tags: ['a'],
    };
    const fallback = { ...model, fallbacks: [{ on: ['error'], model: 'demo/echo' }], retry: { same: 1 }, limits: { attempts: 2 } };
    const skill = {
      description: 'x',
      model: 'demo/echo',
      options: { instructions: 'Hi {{a}}', input_schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
    };
    const grant = { subject_type: 'user', subject: 'x', capability: 'model/x', action: 'use', expires_at: '2030-01-01T00:00:00Z' };
    const limit = { subject_type: 'user', requests_per_minute: 5, spend: { currency: 'CNY', per_day: 5 } };
    const sealed = { kind: 'openai', options: { api_key: '***' } };
    const server = { kind: 'stdio', options: { command: 'nothing-of-this-name', args: ['x'] } };
    const bodies: readonly [string, string, unknown][] = [
      ['POST', '/api/providers', { name: 'sealed', spec: sealed, enabled: true }],
      ['PUT', '/api/providers/sealed', { spec: sealed }],
      ['POST', '/api/models', { name: 'demo/echo', spec: model, owner: 'x' }],
      ['PUT', '/api/models/demo%2Fecho', { spec: fallback }],
      ['POST', '/api/skills', { name: 'demo-greeting', spec: skill }],
      ['PUT', '/api/skills/demo-greeting', { spec: skill, enabled: true }],
      ['POST', '/api/mcp-servers', { name: 'demo', spec: server }],
      ['PUT', '/api/mcp-servers/demo', { spec: server }],
      ['POST', '/api/limits', { name: 'x', spec: limit }],
      ['POST', '/api/grants', { name: 'demo-model-demo', spec: grant }],
      [
        'POST',
        '/api/keys',
        { title: 'x', permissions: ['llm:model:use'], capabilities: ['model/*'], addresses: ['10.0.0.0/8'], expires_in_days: 1 },
      ],
      ['POST', '/api/models/test', { spec: model }],
      ['POST', '/api/providers/test', { spec: { kind: 'demo' }, model: 'echo', name: 'sealed' }],
      ['POST', '/api/mcp-servers/test', { spec: server, name: 'demo' }],
      ['POST', '/api/config/rollback', { revision: 99_999 }],
      ['POST', '/api/route/explain', { model: 'demo/echo', messages: [{ role: 'user', content: 'x' }] }],
      ['POST', '/api/models/demo%2Fecho/owner', { owner: 'x' }],
    ];
    const statuses = new Map<number, number>();
    const wrong: string[] = [];
    await inParallel(10_000, 16, async () => {
      const [method, path, body] = fromSeed.of(bodies);
      // A rollback to the first revision is valid, and would leave nothing to try.
      const who = path === '/api/config/rollback' ? elsewhere : fromSeed.of([chief, chief, developer]);
      const text = mutateBody(fromSeed, body);
      // Mostly an outdated revision, so that most valid writes are checked and not stored.
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        ...(fromSeed.below(10) > 0 ? { 'if-match': '"1000000"' } : {}),
      };
      const answer = await companies.as(who, method, path, text, headers);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = faultOf(answer);
      if (fault !== null) wrong.push(`${method} ${path} ${text} => ${fault}`);
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    // Some of each status: if nearly all failed for the same reason, little would be tested.
    for (const status of [200, 201, 400, 403, 404, 409]) expect(statuses.get(status), String(status)).toBeGreaterThan(10);
    await alive();
  }, 240_000);
});
