/** POST /api/access/token-test: a token verified step by step, and GET /api/access/issuers: by which mapping. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
const test = async (token: string, as: 'admin' | 'developer' = 'admin') => gateway.as(as, 'POST', '/api/access/token-test', { token });

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('the test of a token', () => {
  it('shows each step, who a call would be, and what that person may do', async () => {
    const { json } = await test(await gateway.token('user'));
    expect(json).toMatchObject({ ok: true, error: null, principal: { username: 'user', tenant: 'default', roles: ['user'] } });
    expect(json.principal.permissions).toContain('llm:model:use');
    expect(json.steps.map(({ step }: { step: string }) => step)).toContain('its signature and its times are valid');
  });

  it('names the step that fails: a changed signature, a text that is no token', async () => {
    const [head, claims] = (await gateway.token('user')).split('.');
    const forged = await test(`${head}.${claims}.AAAA`);
    expect(forged.json).toMatchObject({ ok: false, principal: null, error: { code: 'token_invalid' } });
    expect(forged.json.steps.map(({ step }: { step: string }) => step)).not.toContain('its signature and its times are valid');
    expect((await test('nonsense')).json).toMatchObject({ ok: false, principal: null, error: { code: 'token_invalid' } });
  });

  it('shows nothing of a person of another tenant', async () => {
    const { json, text } = await test(await gateway.token('foreigner' as 'user'));
    expect(json).toMatchObject({ ok: false, principal: null, steps: [] });
    expect(text).not.toContain('foreigner');
  });

  it('is for administrators alone, and is in the audit without the token', async () => {
    const token = await gateway.token('user');
    expect((await test(token, 'developer')).status).toBe(403);
    const audit = await eventually(
      () => gateway.as('admin', 'GET', '/api/audit?act=asked as'),
      ({ json }) => json.data.length > 1,
    );
    expect(audit.json.data).toContainEqual(expect.objectContaining({ target: 'person/user', detail: 'test of a token' }));
    expect(audit.text).not.toContain(token.slice(0, 40));
    expect(audit.text).not.toContain('foreigner');
  });

  it('comes with the mapping of each service', async () => {
    const { json } = await gateway.as('admin', 'GET', '/api/access/issuers');
    expect(json.data).toMatchObject([{ issuer: gateway.gateway.issuer, paths: { roles: expect.any(Array), tenant: expect.any(Array) } }]);
    expect((await gateway.as('developer', 'GET', '/api/access/issuers')).status).toBe(403);
  });
});
