/** Pailou beside a real Spring Authorization Server (`real-services/spring`): demotion, dismissal, and a new signing key. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestBrowser } from '../test/whole/browser.ts';
import { startGateway, type TestGateway } from '../test/whole/gateway.ts';
import { keyOf, provider, using, within } from './company.ts';

const service = process.env['PAILOU_TEST_SPRING_URL'] ?? '';
const owned = new AsyncDisposableStack();
/** As its users configure it: the issuer, the clients, nothing else. */
let plain: TestGateway;
/** With a look-up of people by the client of the gateway. */
let asking: TestGateway;

beforeAll(async () => {
  plain = owned.use(await startGateway({ PAILOU_OAUTH_ISSUER: service, PAILOU_OAUTH_ALLOWED_CLIENTS: 'web' }));
  const folder = await mkdtemp(join(tmpdir(), 'pailou-spring-'));
  owned.defer(() => rm(folder, { recursive: true }));
  const lookup = {
    kind: 'http',
    url: '/api/people/{subject}',
    as_client: 'token',
    about: 'sub',
    refused: [{ path: 'enabled', is: [false] }],
  };
  const issuer = {
    issuer: service,
    allowed_clients: ['web'],
    client: { id: 'pailou', secret: 'pailou-secret', lookup_scope: 'people.read' },
    lookups: [lookup],
  };
  await writeFile(join(folder, 'oauth.json'), JSON.stringify({ issuers: [issuer] }));
  asking = owned.use(await startGateway({ PAILOU_OAUTH_SERVICES: join(folder, 'oauth.json') }));
});
afterAll(() => owned.disposeAsync());

const change = (name: string, roles: readonly string[] | null): Promise<Response> =>
  fetch(`${service}/test/people/${name}`, {
    method: roles === null ? 'DELETE' : 'PUT',
    headers: { 'content-type': 'application/json' },
    ...(roles === null ? {} : { body: JSON.stringify(roles) }),
  });

/** Signs in as a person does: the form, then the code of the client `web`. */
async function tokenOf(name: string, scope = 'openid profile llm:model:view llm:model:use llm:model:manage'): Promise<string> {
  const browser = new TestBrowser();
  const callback = 'http://127.0.0.1/callback';
  const query = new URLSearchParams({ response_type: 'code', client_id: 'web', redirect_uri: callback, scope, state: 's' });
  const start = `${service}/oauth2/authorize?${query.toString()}`;
  const html = { accept: 'text/html' };
  await browser.go(start, { headers: html });
  const login = await browser.go(`${service}/login`, { headers: html });
  await browser.submit({ url: `${service}/login`, html: await login.text() }, { username: name, password: 'password' });
  const back = await browser.go(start, { headers: html });
  const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const answer = await fetch(`${service}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('web:web-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: callback }),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  expect(token, `${answer.status}`).toBeTypeOf('string');
  return token ?? '';
}

const rolesAt = async (gateway: TestGateway, token: string): Promise<readonly string[]> =>
  (await using(gateway, token, 'GET', '/api/me')).json.roles ?? [];

it('an administrator who becomes a viewer there creates nothing here, although the token still says ROLE_ADMIN', async () => {
  await change('ulla', ['ROLE_ADMIN']);
  const token = await tokenOf('ulla');
  expect((await using(plain, token, 'GET', '/api/me')).json).toMatchObject({ subject: 'ulla', roles: ['admin'] });
  expect((await using(plain, token, 'POST', '/api/providers', provider('before'))).status).toBe(201);
  await change('ulla', ['ROLE_VIEWER']);
  await within(
    () => rolesAt(plain, token),
    (roles) => roles.includes('viewer'),
  );
  expect((await using(plain, token, 'GET', '/api/me')).json.permissions).toEqual(['llm:model:view']);
  expect((await using(plain, token, 'POST', '/api/providers', provider('after'))).status).toBe(403);
});

it('a token without the scope openid is told the scope that userinfo needs', async () => {
  const { status, json } = await using(plain, await tokenOf('otto', 'llm:model:view llm:model:use'), 'GET', '/v1/models');
  expect([status, json.error.message]).toEqual([401, expect.stringContaining('scope "openid"')]);
});

it('a new signing key is fetched at the first token that it signed', async () => {
  const old = await tokenOf('otto');
  await fetch(`${service}/test/keys`, { method: 'POST' });
  const next = await tokenOf('otto');
  for (const token of [next, old]) expect((await using(plain, token, 'GET', '/v1/models')).status).toBe(200);
});

it('a person is looked up with a token of the gateway’s own client, and their key ends when they leave', async () => {
  await change('vera', ['ROLE_DEVELOPER']);
  const token = await tokenOf('vera');
  expect(await rolesAt(asking, token)).toEqual(['developer']);
  const key = await keyOf(asking, token);
  expect((await using(asking, key, 'GET', '/v1/models')).status).toBe(200);
  await change('vera', null);
  const { json } = await within(
    () => using(asking, key, 'GET', '/v1/models'),
    ({ status }) => status !== 200,
  );
  expect(json.error.code).toBe('token_invalid');
});

it('a service account has the role service, without a look-up', async () => {
  const answer = await fetch(`${service}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('pailou:pailou-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'people.read' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  expect((await using(asking, token, 'GET', '/api/me')).json).toMatchObject({ subject: 'pailou', roles: ['service'] });
});
