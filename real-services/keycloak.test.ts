/** Pailou beside a real Keycloak: roles, demotion and dismissal by its Admin API, a new signing key, back-channel logout. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestBrowser } from '../test/whole/browser.ts';
import { eventually, freePort, startGateway, type TestGateway } from '../test/whole/gateway.ts';
import { keyOf, provider, using, within } from './company.ts';

const keycloak = process.env['PAILOU_TEST_KEYCLOAK_URL'] ?? '';
const issuer = `${keycloak}/realms/team`;
const owned = new AsyncDisposableStack();
/** As its users configure it: everything is in the token. */
let plain: TestGateway;
/** Asks the Admin API, and signs people in. */
let asking: TestGateway;

const form = async (url: string, values: Record<string, string>): Promise<Record<string, string>> =>
  (await (await fetch(url, { method: 'POST', body: new URLSearchParams(values) })).json()) as Record<string, string>;

/** A call of the Admin API. The administrator's token lives for a minute. */
async function administrate(method: string, path: string, body?: unknown): Promise<Response> {
  const login = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' };
  const { access_token: token } = await form(`${keycloak}/realms/master/protocol/openid-connect/token`, login);
  const answer = await fetch(`${keycloak}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
const read = async <T>(path: string): Promise<T> => (await (await administrate('GET', path)).json()) as T;

interface Named {
  readonly id: string;
  readonly name: string;
}
const userId = async (name: string): Promise<string> => (await read<Named[]>(`/team/users?username=${name}&exact=true`))[0]?.id ?? '';

async function addUser(name: string, role: string): Promise<void> {
  const credentials = [{ type: 'password', value: 'password', temporary: false }];
  const person = {
    username: name,
    enabled: true,
    email: `${name}@example.com`,
    emailVerified: true,
    firstName: name,
    lastName: 'X',
    credentials,
  };
  await administrate('POST', '/team/users', person);
  await giveRole(name, role);
}

async function giveRole(name: string, role: string): Promise<void> {
  const path = `/team/users/${await userId(name)}/role-mappings/realm`;
  const before = (await read<Named[]>(path)).filter((each) => ['admin', 'developer', 'user', 'viewer'].includes(each.name));
  if (before.length > 0) await administrate('DELETE', path, before);
  await administrate('POST', path, [await read<Named>(`/team/roles/${role}`)]);
}

const tokenOf = async (name: string): Promise<string> => {
  const login = { grant_type: 'password', client_id: 'web', username: name, password: 'password' };
  const answer = await form(`${issuer}/protocol/openid-connect/token`, login);
  expect(answer['access_token'], JSON.stringify(answer)).toBeTypeOf('string');
  return answer['access_token'] ?? '';
};

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const names = ['admin', 'developer', 'user', 'viewer'];
  await administrate('POST', '', {
    realm: 'team',
    enabled: true,
    sslRequired: 'none',
    accessTokenLifespan: 1_800,
    roles: { realm: names.map((name) => ({ name })) },
    clients: [
      { clientId: 'web', publicClient: true, directAccessGrantsEnabled: true },
      {
        clientId: 'pailou',
        secret: 'pailou-secret',
        serviceAccountsEnabled: true,
        standardFlowEnabled: true,
        redirectUris: [`${url}/auth/callback`],
        attributes: { 'backchannel.logout.url': `${url}/auth/backchannel-logout`, 'backchannel.logout.session.required': 'true' },
      },
    ],
    users: [
      {
        username: 'service-account-pailou',
        enabled: true,
        serviceAccountClientId: 'pailou',
        clientRoles: { 'realm-management': ['view-users'] },
      },
    ],
  });
  for (const [name, role] of Object.entries({ ulla: 'admin', vera: 'developer', wim: 'developer', xenia: 'user' }))
    await addUser(name, role);
  const settings = { PAILOU_OAUTH_ISSUER: issuer, PAILOU_OAUTH_PRESET: 'keycloak', PAILOU_OAUTH_ALLOWED_CLIENTS: 'web' };
  plain = owned.use(await startGateway(settings));
  const client = { PAILOU_OAUTH_CLIENT_ID: 'pailou', PAILOU_OAUTH_CLIENT_SECRET: 'pailou-secret' };
  asking = owned.use(await startGateway({ ...settings, ...client, PAILOU_OAUTH_LOOKUP: 'keycloak_user', PAILOU_PORT: String(port) }));
});
afterAll(async () => {
  await owned.disposeAsync();
  await administrate('DELETE', '/team');
});

const rolesAt = async (gateway: TestGateway, token: string): Promise<readonly string[]> =>
  (await using(gateway, token, 'GET', '/api/me')).json.roles ?? [];

it('realm roles of the token count, without Keycloak’s own', async () => {
  const { json } = await using(plain, await tokenOf('xenia'), 'GET', '/api/me');
  expect(json).toMatchObject({ username: 'xenia', roles: ['user'] });
});

it('an administrator who becomes a viewer there creates nothing here, although the token still says admin', async () => {
  const token = await tokenOf('ulla');
  expect((await using(asking, token, 'POST', '/api/providers', provider('before'))).status).toBe(201);
  await giveRole('ulla', 'viewer');
  await within(
    () => rolesAt(asking, token),
    (roles) => roles.includes('viewer'),
  );
  expect((await using(asking, token, 'POST', '/api/providers', provider('after'))).status).toBe(403);
});

it('the key of a person who is disabled there ends, and that of one who is demoted loses the rights', async () => {
  const [disabled, demoted] = [await keyOf(asking, await tokenOf('vera')), await keyOf(asking, await tokenOf('wim'))];
  const chat = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
  const call = async (key: string): Promise<string | number> => {
    const { status, json } = await using(asking, key, 'POST', '/v1/chat/completions', chat);
    return json.error?.code ?? status;
  };
  expect([await call(disabled), await call(demoted)]).toEqual([200, 200]);
  await administrate('PUT', `/team/users/${await userId('vera')}`, { enabled: false });
  await giveRole('wim', 'viewer');
  await within(
    async () => [await call(disabled), await call(demoted)],
    ([one, other]) => one === 'token_invalid' && other === 'permission_denied',
  );
});

it('a service account is known by its client, not by its UUID, and has the role service', async () => {
  const login = { grant_type: 'client_credentials', client_id: 'pailou', client_secret: 'pailou-secret' };
  const { access_token: token = '' } = await form(`${issuer}/protocol/openid-connect/token`, login);
  expect((await using(asking, token, 'GET', '/api/me')).json.roles).toEqual(['service']);
});

it('a new signing key is fetched at the first token that it signed', async () => {
  const old = await tokenOf('xenia');
  const { id } = await read<Named>('/team');
  const config = { priority: ['500'], enabled: ['true'], active: ['true'], algorithm: ['RS256'] };
  const component = { name: 'next', parentId: id, providerId: 'rsa-generated', providerType: 'org.keycloak.keys.KeyProvider', config };
  await administrate('POST', '/team/components', component);
  const next = await tokenOf('xenia');
  for (const token of [next, old]) expect((await using(plain, token, 'GET', '/v1/models')).status).toBe(200);
});

it('who is signed out there is signed out here', async () => {
  const browser = new TestBrowser();
  const page = await browser.follow(`${asking.url}/auth/login`, (url) => url.includes('/auth/callback'));
  const sent = await browser.submit(
    { url: page.url, html: (await page.response?.text()) ?? '' },
    { username: 'xenia', password: 'password' },
  );
  const callback = sent.headers.get('location') ?? '';
  expect(callback, String(sent.status)).toContain('/auth/callback');
  await browser.go(callback);
  const me = async (): Promise<number> => (await browser.go(`${asking.url}/api/me`)).status;
  expect(await me()).toBe(200);
  await administrate('POST', `/team/users/${await userId('xenia')}/logout`);
  await eventually(me, (status) => status === 401, 20_000);
});
