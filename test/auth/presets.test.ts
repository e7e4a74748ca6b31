/** The presets of common services, each with its own answers: accepted people, mapped rights and refusals. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { issuerSettings } from '../../src/auth/issuer-settings.ts';
import { issuerSpec, type IssuerSpecInput } from '../../src/auth/issuer-spec.ts';
import { silentLogger } from './oauth-service.ts';

interface LookupInput {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}
type Answer = { readonly status?: number; readonly body: unknown };

let answer: (asked: LookupInput) => Answer;
let asked: LookupInput[];
let url: string;
let close: () => Promise<void>;
let authenticator: Authenticator | null;

beforeEach(async () => {
  asked = [];
  authenticator = null;
  const server = createServer((request, response) => {
    const whole = text(request).then((form) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      const one: LookupInput = {
        method: request.method ?? '',
        path: pathname,
        query: searchParams,
        form: new URLSearchParams(form),
        headers: request.headers,
      };
      asked.push(one);
      const { status = 200, body } = answer(one);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    whole.catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});
afterEach(async () => {
  authenticator?.close();
  await close();
});

const client = { id: 'pailou', secret: 'p:w d' };
/** The header for that client: both parts are form-encoded first. */
const basic = `Basic ${Buffer.from('pailou:p%3Aw+d').toString('base64')}`;

function admit(spec: Partial<IssuerSpecInput>, token = 'opaque-1') {
  authenticator?.close();
  const settings = issuerSettings(issuerSpec.parse({ issuer: url, insecure_any_audience: true, ...spec }));
  authenticator = createAuthenticator({ issuers: [settings], logger: silentLogger });
  return Promise.resolve(authenticator.verify(token));
}
const codeOf = async (admitted: Promise<unknown>): Promise<string> =>
  admitted.then(
    () => 'let in',
    (thrown: { code: string }) => thrown.code,
  );
const soon = (): number => Math.floor(Date.now() / 1000) + 600;

describe('legacy-spring', () => {
  const good = () => ({
    user_name: 'ulla',
    authorities: ['ROLE_DEVELOPER', 'llm:model:use'],
    scope: ['llm:model:view'],
    client_id: 'web',
    exp: soon(),
  });

  it('is queried at /oauth/check_token with Pailou’s own client and the token only in the body', async () => {
    answer = () => ({ body: { active: true, ...good() } });
    const principal = await admit({ preset: 'legacy-spring', client });
    expect(principal).toMatchObject({ subject: 'ulla', username: 'ulla', client: 'web', tenant: 'default' });
    expect(principal.roles).toContain('developer');
    expect([...principal.permissions].toSorted()).toEqual(['llm:model:use', 'llm:model:view']);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/oauth/check_token' });
    expect(asked[0]?.headers.authorization).toBe(basic);
    expect(asked[0]?.form.get('token')).toBe('opaque-1');
    expect(asked[0]?.query.size).toBe(0);
  });

  it('accepts answers without "active", as older versions give', async () => {
    answer = () => ({ body: good() });
    expect(await codeOf(admit({ preset: 'legacy-spring', client }))).toBe('let in');
  });

  it.each<[string, Answer, string]>([
    ['400 of an unknown token', { status: 400, body: { error: 'invalid_token' } }, 'token_invalid'],
    ['active: false', { body: { active: false } }, 'token_invalid'],
    ['an end that is past', { body: { user_name: 'ulla', exp: 1 } }, 'token_expired'],
    ['401, which is about our own client', { status: 401, body: {} }, 'auth_unavailable'],
    ['500', { status: 500, body: good() }, 'auth_unavailable'],
    ['an error with status 200', { body: { error: 'invalid_token', ...good() } }, 'auth_unavailable'],
    ['a list', { body: [good()] }, 'auth_unavailable'],
    ['nobody', { body: { scope: ['llm:model:use'], exp: soon() } }, 'token_invalid'],
  ])('%s denies access', async (_name, said, code) => {
    answer = () => said;
    expect(await codeOf(admit({ preset: 'legacy-spring', client }))).toBe(code);
  });

  it('may list the accepted clients', async () => {
    answer = () => ({ body: good() });
    expect(await codeOf(admit({ preset: 'legacy-spring', client, insecure_any_audience: false, allowed_clients: ['cli'] }))).toBe(
      'token_invalid',
    );
    expect(await codeOf(admit({ preset: 'legacy-spring', client, insecure_any_audience: false, allowed_clients: ['web'] }))).toBe('let in');
  });
});

describe('ruoyi', () => {
  const good = {
    msg: 'ok',
    code: 200,
    user: { userId: 7, userName: 'ry', nickName: 'Ry', password: 'hash' },
    roles: ['admin'],
    permissions: ['*:*:*'],
  };

  it('is queried at getInfo with the caller’s own token; *:*:* means all nine codes', async () => {
    answer = () => ({ body: good });
    const principal = await admit({ preset: 'ruoyi' }, 'a.b.c');
    expect(principal).toMatchObject({ subject: '7', username: 'ry', roles: ['admin'] });
    expect(principal.permissions.size).toBe(9);
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/getInfo' });
    expect(asked[0]?.headers.authorization).toBe('Bearer a.b.c');
  });

  it('is queried at the path of the cloud edition', async () => {
    answer = () => ({ body: good });
    await admit({ preset: 'ruoyi', base_url: `${url}/system/user/` });
    expect(asked[0]?.path).toBe('/system/user/getInfo');
  });

  it.each<[string, unknown, string]>([
    ['status 200 with code 401', { code: 401, msg: 'no' }, 'token_invalid'],
    ['status 200 with code 500, whatever else it says', { ...good, code: 500 }, 'auth_unavailable'],
    ['no code', { ...good, code: undefined }, 'auth_unavailable'],
    ['a user without a number', { ...good, user: { userName: 'ry' } }, 'token_invalid'],
    ['a user that is inherited', JSON.parse('{"code":200,"__proto__":{"user":{"userId":7}},"roles":["admin"]}'), 'token_invalid'],
  ])('%s denies access', async (_name, body, code) => {
    answer = () => ({ body });
    expect(await codeOf(admit({ preset: 'ruoyi' }))).toBe(code);
  });
});

describe('jeecg', () => {
  it('is queried with its own header', async () => {
    answer = () => ({ body: { success: true, code: 200, result: { userInfo: { id: 'u1', username: 'jeecg' } } } });
    expect(await admit({ preset: 'jeecg', permission_source: 'role_defaults' })).toMatchObject({
      subject: 'u1',
      username: 'jeecg',
      roles: [],
    });
    expect(asked[0]?.headers['x-access-token']).toBe('opaque-1');
    expect(asked[0]?.headers.authorization).toBeUndefined();
  });

  it('a 200 without a user denies access', async () => {
    answer = () => ({ body: { success: false, code: 500, result: { userInfo: { id: 'u1' } } } });
    expect(await codeOf(admit({ preset: 'jeecg' }))).toBe('auth_unavailable');
  });
});

describe('pig', () => {
  it('returns role ids and permissions together; ids are mapped', async () => {
    answer = () => ({
      body: {
        active: true,
        sub: 'admin',
        username: 'admin',
        user_info: { id: 1, username: 'admin', tenantId: 3 },
        authorities: ['ROLE_1', 'ROLE_9', 'llm:skill:use'],
        client_id: 'pig',
        exp: soon(),
      },
    });
    const principal = await admit({ preset: 'pig', client, role_map: { ROLE_1: 'admin' }, roles_only: ['ROLE_*'] });
    expect(principal).toMatchObject({ subject: '1', username: 'admin', tenant: '3', roles: ['admin', '9'] });
    expect([...principal.permissions]).toEqual(['llm:skill:use']);
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/token/check_token' });
    expect(asked[0]?.query.get('token')).toBe('opaque-1');
  });
});

describe('yudao', () => {
  const checked = { code: 0, data: { user_id: 7, user_type: 2, tenant_id: 1, client_id: 'default', scopes: [], exp: soon() } };
  const person = { code: 0, data: { user: { id: 7, nickname: 'Yu' }, roles: ['developer'], permissions: ['llm:model:use'] } };
  const byPath =
    (first: unknown, second: unknown) =>
    ({ path }: LookupInput): Answer => ({ body: path.endsWith('/check-token') ? first : second });

  it('checks the token as a client, then looks up the person', async () => {
    answer = byPath(checked, person);
    const principal = await admit({ preset: 'yudao', client });
    expect(principal).toMatchObject({ subject: '7', username: 'Yu', tenant: '1', roles: ['developer'], client: 'default' });
    expect([...principal.permissions]).toEqual(['llm:model:use']);
    expect(asked.map(({ path }) => path)).toEqual(['/admin-api/system/oauth2/check-token', '/admin-api/system/auth/get-permission-info']);
    expect(asked[0]?.headers.authorization).toBe(basic);
    expect(asked[1]?.headers.authorization).toBe('Bearer opaque-1');
  });

  it.each<[string, unknown, unknown, string]>([
    ['an unknown token', { code: 401, msg: 'x' }, person, 'token_invalid'],
    ['a member of the shop with the same number', { ...checked, data: { ...checked.data, user_type: 1 } }, person, 'token_invalid'],
    ['a page about somebody else', checked, { ...person, data: { ...person.data, user: { id: 8 } } }, 'auth_unavailable'],
    ['a page that fails', checked, { code: 500 }, 'auth_unavailable'],
    ['a page of nobody', checked, { code: 0, data: null }, 'auth_unavailable'],
  ])('%s denies access', async (_name, first, second, code) => {
    answer = byPath(first, second);
    expect(await codeOf(admit({ preset: 'yudao', client }))).toBe(code);
  });
});

describe('introspection (RFC 7662)', () => {
  const spec = (): Partial<IssuerSpecInput> => ({
    preset: 'generic',
    tokens: 'opaque',
    client,
    lookups: [{ kind: 'introspection', url: '/introspect' }],
    insecure_any_audience: false,
    audiences: ['gate'],
  });

  it('reads an opaque token and requires its audience', async () => {
    answer = () => ({ body: { active: true, sub: 'ulla', aud: ['gate'], roles: ['user'], scope: 'llm:model:use', exp: soon() } });
    expect(await admit(spec())).toMatchObject({ subject: 'ulla', roles: ['user'] });
    expect(asked[0]?.form.get('token_type_hint')).toBe('access_token');
    answer = () => ({ body: { active: true, sub: 'ulla', aud: 'other', exp: soon() } });
    expect(await codeOf(admit(spec()))).toBe('token_invalid');
  });

  it.each<[string, Answer, string]>([
    ['active: false', { body: { active: false } }, 'token_invalid'],
    ['"true" as text', { body: { active: 'true', sub: 'ulla', aud: 'gate' } }, 'auth_unavailable'],
    ['no active', { body: { sub: 'ulla', aud: 'gate' } }, 'auth_unavailable'],
    ['more than a megabyte', { body: { active: true, sub: 'ulla', aud: 'gate', x: 'x'.repeat(1_000_001) } }, 'auth_unavailable'],
  ])('%s denies access', async (_name, said, code) => {
    answer = () => said;
    expect(await codeOf(admit(spec()))).toBe(code);
  });
});
