/** The same subject of two issuers is two people, with separate ownership, grants and usage. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCompanies } from './companies.ts';
import { eventually } from './gateway.ts';
import { startTwoIssuers, type TwoIssuers } from './two-issuers.ts';

const admin = { roles: ['admin'] };
const user = { roles: ['user'], scope: 'llm:*:view llm:*:use' };
const hello = { model: 'shared', messages: [{ role: 'user', content: 'Hi' }] };
const model = { deployments: [{ provider: 'demo', model: 'echo', price: { currency: 'CNY', input: 1_000_000, output: 1_000_000 } }] };

describe('the same subject of two issuers', () => {
  let two: TwoIssuers;
  const must = async (...args: Parameters<TwoIssuers['as']>) => {
    const answer = await two.as(...args);
    if (answer.status >= 300) throw new Error(`${args[2]} ${args[3]}: ${answer.status} ${answer.text}`);
    return answer;
  };

  beforeAll(async () => {
    two = await startTwoIssuers();
    await must('company', 'chief', 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } }, admin);
    await must('company', 'chief', 'POST', '/api/models', { name: 'shared', spec: model }, admin);
  });
  afterAll(() => two[Symbol.asyncDispose]());

  it('does not own rows of the other', async () => {
    await must('company', 'u1', 'POST', '/api/skills', {
      name: 'mine',
      spec: { description: 'x', model: 'shared', options: { instructions: 'x' } },
    });
    const path = '/api/skills/mine';
    expect((await two.as('partner', 'u1', 'DELETE', path)).status).toBe(403);
    expect((await two.as('partner', 'u1', 'POST', `${path}/owner`, { owner: two.ref('partner', 'u1') })).status).toBe(403);
    expect((await must('company', 'u1', 'GET', path)).json.owner).toBe(two.ref('company', 'u1'));
    expect((await two.as('company', 'u1', 'DELETE', path)).status).toBe(204);
  });

  it('does not have grants of the other', async () => {
    const spec = { subject_type: 'user', subject: two.ref('company', 'u2'), capability: 'model/shared', action: 'use' };
    await must('company', 'chief', 'POST', '/api/grants', { name: 'for-u2', spec }, admin);
    expect((await two.as('company', 'u2', 'POST', '/v1/chat/completions', hello, user)).status).toBe(200);
    expect((await two.as('partner', 'u2', 'POST', '/v1/chat/completions', hello, user)).status).toBe(403);
    // The content of a token is stored shortly after it was seen.
    const asked = async (as: string): Promise<unknown> =>
      (await two.as('company', 'chief', 'GET', `/api/explain?capability=model/shared&as=${encodeURIComponent(as)}`, undefined, admin)).json
        .allowed;
    await eventually(
      () => asked(two.ref('company', 'u2')),
      (allowed) => allowed === true,
    );
    await eventually(
      () => asked(two.ref('partner', 'u2')),
      (allowed) => allowed === false,
    );
    const { json } = await must('company', 'chief', 'GET', '/api/access/matrix?capability=model/shared&limit=200', undefined, admin);
    const may = (name: string): unknown => json.data.find((line: { subject: { name: string } }) => line.subject.name === name)?.use.may;
    expect([may(two.ref('company', 'u2')), may(two.ref('partner', 'u2'))]).toEqual(['yes', 'no']);
  });

  it('is counted separately, by limits for each user and for one', async () => {
    const limit = (name: string, subject: string) => ({ name, spec: { subject_type: 'user', subject, requests_per_minute: 1 } });
    await must('company', 'chief', 'POST', '/api/limits', limit('each', '*'), admin);
    const call = async (service: 'company' | 'partner', subject: string): Promise<number> =>
      (await two.as(service, subject, 'POST', '/v1/chat/completions', hello)).status;
    expect([await call('company', 'u3'), await call('partner', 'u3'), await call('partner', 'u3')]).toEqual([200, 200, 429]);
    await must('company', 'chief', 'DELETE', '/api/limits/each', undefined, admin);
    await must('company', 'chief', 'POST', '/api/limits', limit('one', two.ref('company', 'u4')), admin);
    expect([await call('company', 'u4'), await call('company', 'u4'), await call('partner', 'u4')]).toEqual([200, 429, 200]);
    await must('company', 'chief', 'DELETE', '/api/limits/one', undefined, admin);
  });

  it('does not see the usage, the runs, the keys, the audit, the answers or the background runs of the other', async () => {
    const { json: answer } = await must('company', 'u5', 'POST', '/v1/responses', { model: 'shared', input: 'Hi' });
    await must('company', 'u5', 'POST', '/api/keys', { title: 'theirs' });
    await must('company', 'u5', 'POST', '/api/skills', {
      name: 'slow',
      spec: { description: 'x', model: 'shared', options: { instructions: 'x' } },
    });
    const run = await must('company', 'u5', 'POST', '/v1/skills/slow/runs', { input: { text: 'x' }, async: true });
    const usageOf = async (service: 'company' | 'partner', query = '') =>
      (await must(service, 'u5', 'GET', `/api/usage?by=user${query}`)).json.data;
    await eventually(
      () => usageOf('company'),
      (lines) => lines.length > 0,
    );
    expect((await usageOf('company'))[0].user).toBe(two.ref('company', 'u5'));
    expect(await usageOf('partner')).toEqual([]);
    expect((await two.as('partner', 'u5', 'GET', `/api/usage?user=${encodeURIComponent(two.ref('company', 'u5'))}`)).status).toBe(403);
    const list = async (service: 'company' | 'partner', path: string): Promise<number> =>
      (await must(service, 'u5', 'GET', path)).json.data.length;
    for (const path of ['/api/runs', '/api/keys'])
      expect([(await list('company', path)) > 0, await list('partner', path)], path).toEqual([true, 0]);
    for (const path of [`/v1/responses/${answer.id}`, `/v1/runs/${run.json.id}`])
      expect([(await two.as('company', 'u5', 'GET', path)).status, (await two.as('partner', 'u5', 'GET', path)).status], path).toEqual([
        200, 404,
      ]);
    const audit = async (actor: string): Promise<string[]> =>
      (await must('company', 'chief', 'GET', `/api/audit?limit=200&actor=${encodeURIComponent(actor)}`, undefined, admin)).json.data.map(
        (entry: { actor: string }) => entry.actor,
      );
    expect(new Set(await audit(two.ref('company', 'u5')))).toEqual(new Set([two.ref('company', 'u5')]));
    expect(await audit(two.ref('partner', 'u5'))).toEqual([two.ref('partner', 'u5')]);
  });

  it('is refused as ambiguous without its issuer, with the issuers listed', async () => {
    const grant = { subject_type: 'user', subject: 'u1', capability: 'model/shared', action: 'use' };
    const tries: [string, string, unknown?][] = [
      ['POST', '/api/grants', { spec: grant }],
      ['POST', '/api/limits', { name: 'l', spec: { subject_type: 'user', subject: 'u1', requests_per_minute: 1 } }],
      ['POST', '/api/models', { name: 'm', spec: model, owner: 'u1' }],
      ['POST', '/api/models/shared/owner', { owner: 'u1' }],
      ['GET', '/api/explain?capability=model/shared&as=u1'],
      ['GET', '/api/usage?user=u1'],
      ['GET', '/api/audit?actor=u1'],
    ];
    for (const [method, path, body] of tries) {
      const { status, json } = await two.as('company', 'chief', method, path, body, admin);
      expect(status, path).toBe(400);
      expect(json.error.message, path).toContain(
        `"u1" is ambiguous, because several issuers are configured. Write ${two.company.issuer}#… or ${two.partner.issuer}#…`,
      );
    }
    const unknown = await two.as(
      'company',
      'chief',
      'POST',
      '/api/grants',
      { spec: { ...grant, subject: 'https://other.example#u1' } },
      admin,
    );
    expect(unknown.status).toBe(400);
    expect(unknown.json.error).toMatchObject({
      param: 'spec.subject',
      message: expect.stringContaining('"https://other.example" is not configured here'),
    });
    expect((await two.as('company', 'chief', 'GET', '/api/audit?actor=pailou', undefined, admin)).status).toBe(200);
  });
});

describe('a restricted issuer', () => {
  it('has people of its tenant only, with at most the configured roles', async () => {
    await using two = await startTwoIssuers({ tenant: 'partners', max_roles: ['developer', 'finance'] });
    const me = async (claims: Record<string, unknown>) => {
      const { tenant, roles, permissions } = (await two.as('partner', 'u1', 'GET', '/api/me', undefined, claims)).json;
      return { tenant, roles, codes: permissions.length };
    };
    expect(await me({ roles: ['admin'], tenant_id: 'company' })).toEqual({ tenant: 'partners', roles: ['developer'], codes: 9 });
    expect(await me({ roles: ['admin', 'boss', 'finance'], scope: 'llm:model:use' })).toEqual({
      tenant: 'partners',
      roles: ['developer', 'finance'],
      codes: 1,
    });
    expect((await two.as('partner', 'u1', 'GET', '/api/audit', undefined, { roles: ['admin'] })).status).toBe(403);
    expect((await two.as('company', 'u1', 'GET', '/api/audit', undefined, { roles: ['admin'] })).status).toBe(200);
    await using looking = await startTwoIssuers({ max_roles: ['user', 'viewer'] });
    const { roles, permissions } = (
      await looking.as('partner', 'u1', 'GET', '/api/me', undefined, { roles: ['developer'], scope: 'llm:*:*' })
    ).json;
    expect(roles).toEqual(['user', 'viewer']);
    expect(permissions.filter((code: string) => code.endsWith(':manage'))).toEqual([]);
  });
});

it('the first user of a service with a fixed tenant finds the demo models there', async () => {
  await using companies = await startCompanies({ PAILOU_OAUTH_TENANT: 'acme' });
  const { json } = await companies.must({ subject: 'first', tenant: 'other', roles: ['user'] }, 'GET', '/v1/models');
  expect(json.data.map(({ id }: { id: string }) => id)).toContain('demo/echo');
});
