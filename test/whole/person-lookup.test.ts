/** Keys follow their owner's rights at the identity service, which Pailou asks with its own client (RFC 6749 4.4). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { audience, makeKey, type OauthService, serviceClient, type SigningKey, startOauthService } from '../auth/oauth-service.ts';
import { type Answer, startGateway, type TestGateway } from './gateway.ts';

const owned = new AsyncDisposableStack();
let service: OauthService;
let signer: SigningKey;
let gateway: TestGateway;
let now: number;

beforeAll(async () => {
  signer = await makeKey('k1');
  service = owned.use(await startOauthService([signer]));
  const folder = await mkdtemp(join(tmpdir(), 'pailou-person-'));
  owned.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'oauth.json');
  const lookup = { kind: 'http', url: '/people/{subject}', as_client: 'token', refused: [{ path: 'enabled', is: [false] }] };
  const issuer = {
    issuer: service.issuer,
    preset: 'generic',
    audiences: [audience],
    client: serviceClient,
    lookups: [lookup],
  };
  await writeFile(file, JSON.stringify({ issuers: [issuer] }));
  gateway = owned.use(await startGateway({ PAILOU_OAUTH_SERVICES: file, PAILOU_RECHECK_SECONDS: '1' }));
});
beforeEach(() => {
  now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now });
  service.broken = false;
});
afterEach(() => vi.useRealTimers());
afterAll(() => owned.disposeAsync());

const after = (seconds: number): void => void vi.setSystemTime((now += seconds * 1_000));
const using = (credential: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  gateway.as(null, method, path, body, { authorization: `Bearer ${credential}` });
const tokenOf = (subject: string, claims: Record<string, unknown> = {}) => service.sign(signer, { sub: subject, ...claims });

async function keyOf(subject: string): Promise<string> {
  const answer = await using(await tokenOf(subject), 'POST', '/api/keys', {
    title: 'for a script',
    permissions: ['llm:model:view', 'llm:model:use'],
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.key;
}

const developer = { enabled: true, roles: ['developer'], permissions: ['llm:model:view', 'llm:model:use', 'llm:model:manage'] };
const chat = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
/** What a key does: whether it lists models, and whether it uses one. */
const powers = async (key: string): Promise<(string | number)[]> => {
  const [list, call] = [await using(key, 'GET', '/v1/models'), await using(key, 'POST', '/v1/chat/completions', chat)];
  return [list, call].map(({ status, json }) => json.error?.code ?? status);
};
const all = [200, 200];

it('a token has the rights that the service answers about its person, whatever it claims', async () => {
  service.people.set('ulla', developer);
  const { json } = await using(await tokenOf('ulla', { roles: ['admin'], scope: 'llm:*:*' }), 'GET', '/api/me');
  expect(json.roles).toEqual(['developer']);
  expect(json.permissions.toSorted()).toEqual(developer.permissions.toSorted());
});

it('a key loses within a minute what its owner loses, although the owner never calls again', async () => {
  service.people.set('vera', developer);
  const key = await keyOf('vera');
  expect(await powers(key)).toEqual(all);
  service.people.set('vera', { enabled: true, roles: ['viewer'], permissions: ['llm:model:view'] });
  after(61);
  expect(await powers(key)).toEqual([200, 'permission_denied']);
});

it('an administrator who follows all runs loses the stream with the role', async () => {
  service.people.set('xena', { ...developer, roles: ['admin'] });
  const headers = { authorization: `Bearer ${await tokenOf('xena')}`, accept: 'text/event-stream' };
  const stream = await fetch(`${gateway.url}/api/runs/stream`, { headers });
  expect(stream.status).toBe(200);
  service.people.set('xena', developer);
  after(61);
  expect(await stream.text()).toMatch(/event: failed\ndata: .*"permission_denied","message":"You may no longer see these runs/);
});

it.each([
  ['was deleted there', 'wim', undefined],
  ['was disabled there', 'wanda', { ...developer, enabled: false }],
])('the keys of a person who %s end within a minute, and begin again when the person is back', async (_how, who, left) => {
  service.people.set(who, developer);
  const key = await keyOf(who);
  if (left === undefined) service.people.delete(who);
  else service.people.set(who, left);
  after(61);
  expect(await powers(key)).toEqual(['token_invalid', 'token_invalid']);
  service.people.set(who, developer);
  after(61);
  expect(await powers(key)).toEqual(all);
});

it('a person whom the service still knows need not sign in each day for their keys', async () => {
  service.people.set('xenia', developer);
  const key = await keyOf('xenia');
  after(30 * 3_600);
  expect(await powers(key)).toEqual(all);
});

it('while the service cannot be asked a key is refused with 503, and is good again afterwards', async () => {
  service.people.set('yan', developer);
  const key = await keyOf('yan');
  expect(await powers(key)).toEqual(all);
  service.broken = true;
  after(40);
  expect(await powers(key), 'within the minute').toEqual(all);
  after(40);
  expect(await powers(key)).toEqual(['auth_unavailable', 'auth_unavailable']);
  service.broken = false;
  after(2);
  expect(await powers(key)).toEqual(all);
});

it('many calls with keys of one owner ask once', async () => {
  service.people.set('zoe', developer);
  const key = await keyOf('zoe');
  after(61);
  const before = service.hits.get('/people/zoe') ?? 0;
  const answers = await Promise.all(Array.from({ length: 30 }, () => using(key, 'GET', '/v1/models')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect((service.hits.get('/people/zoe') ?? 0) - before).toBe(1);
});

it('a service account is not a person: its token counts, and so do its keys', async () => {
  const claims = { client_id: 'robot', roles: ['developer'], scope: 'llm:*:*' };
  const made = await using(await tokenOf('robot', claims), 'POST', '/api/keys', {
    title: 'r',
    permissions: ['llm:model:view', 'llm:model:use'],
  });
  expect(made.status, made.text).toBe(201);
  after(61);
  expect(await powers(made.json.key)).toEqual(all);
});
