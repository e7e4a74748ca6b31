/** Keys that administrators make for other people and for service accounts, over HTTP: no escalation, ended with their owner. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;

const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
type Role = 'admin' | 'developer' | 'user' | 'viewer';
interface Key {
  readonly id: string;
  readonly key: string;
  readonly owner: string;
  readonly service: string | null;
  readonly made_by: string;
  readonly permissions: readonly string[];
}

const call = (key: string, body: object = hello) =>
  gateway.as(null, 'POST', '/v1/chat/completions', body, { authorization: `Bearer ${key}` });
const make = async (who: Role, body: object): Promise<Key> => {
  const made = await gateway.as(who, 'POST', '/api/keys', body);
  expect(made.status, made.text).toBe(201);
  return made.json as Key;
};
const account = async (name: string, roles: readonly string[]) => {
  const made = await gateway.as('admin', 'POST', '/api/service-accounts', { name, spec: { roles } });
  expect(made.status, made.text).toBe(201);
};
const refused = async (who: Role, body: object) => {
  const { status, json } = await gateway.as(who, 'POST', '/api/keys', body);
  return `${status} ${json.error?.param}`;
};

beforeAll(async () => {
  gateway = await startGateway();
  for (const role of ['admin', 'developer', 'user', 'viewer'] as const) await gateway.as(role, 'GET', '/api/me');
  await eventually(
    async () => ((await gateway.as('admin', 'GET', '/api/people')).json.data as unknown[]).length,
    (seen) => seen >= 4,
  );
});
afterAll(async () => gateway[Symbol.asyncDispose]());

describe('a key for another person', () => {
  it('has the current rights of its owner, is seen by the owner, and names its maker', async () => {
    const made = await make('admin', { title: 'for a viewer', for: 'viewer' });
    expect(made).toMatchObject({ owner: 'viewer', service: null, made_by: 'admin' });
    expect((await call(made.key)).status, 'an owner who may not call lends nothing to the key').toBe(403);
    const other = await make('admin', { for: 'developer' });
    expect((await call(other.key)).status).toBe(200);
    const runs = await eventually(
      async () => (await gateway.as('developer', 'GET', `/api/runs?key=${other.id}`)).json.data as { subject: string }[],
      (found) => found.length > 0,
    );
    expect(runs[0]?.subject).toBe('developer');
    const listed = (await gateway.as('developer', 'GET', '/api/keys')).json.data as Key[];
    expect(listed.find(({ id }) => id === other.id)?.made_by).toBe('admin');
    const entries = (await gateway.as('admin', 'GET', `/api/audit?target=key/${other.id}`)).json.data as {
      actor: string;
      detail: string;
    }[];
    expect(entries[0]).toMatchObject({ actor: 'admin', detail: `make key ${other.id} for developer` });
    expect((await gateway.as('user', 'DELETE', `/api/keys/${other.id}`)).status).toBe(404);
    expect((await gateway.as('developer', 'DELETE', `/api/keys/${other.id}`)).status).toBe(204);
    expect((await call(other.key)).status).toBe(401);
  });

  it('is made by administrators alone, for people who were seen, and with one owner', async () => {
    for (const who of ['developer', 'user', 'viewer'] as const) expect(await refused(who, { for: 'admin' }), who).toBe('403 for');
    expect(await refused('admin', { for: 'nobody-yet' })).toBe('404 for');
    expect(await refused('admin', { for: 'user', service: 'x' })).toBe('400 service');
    expect((await make('developer', { for: 'developer' })).owner, 'oneself is no other person').toBe('developer');
  });

  it('is rotated and changed by its owner alone; the administrator may disable it', async () => {
    const { id } = await make('admin', { for: 'user' });
    expect((await gateway.as('admin', 'POST', `/api/keys/${id}/rotate`, {})).status).toBe(403);
    expect((await gateway.as('admin', 'PATCH', `/api/keys/${id}`, { capabilities: null })).status).toBe(403);
    expect((await gateway.as('admin', 'PATCH', `/api/keys/${id}`, { enabled: false })).status).toBe(200);
    expect((await gateway.as('user', 'POST', `/api/keys/${id}/rotate`, {})).status, 'disabled by the administrator').toBe(403);
    expect((await gateway.as('admin', 'PATCH', `/api/keys/${id}`, { enabled: true })).status).toBe(200);
    expect((await gateway.as('user', 'POST', `/api/keys/${id}/rotate`, {})).status).toBe(201);
  });
});

describe('a service account', () => {
  it('reaches what is granted to its roles and to itself, and is named in the ledger', async () => {
    await account('build', ['ci']);
    const made = await make('admin', { service: 'build' });
    expect(made).toMatchObject({ owner: 'urn:pailou:service#build', service: 'build', made_by: 'admin' });
    expect((await call(made.key)).status, 'nothing is granted yet').toBe(403);
    const grant = { capability: 'model/demo/echo', action: 'use' };
    await gateway.as('admin', 'POST', '/api/grants', { spec: { subject_type: 'team', subject: 'ci', ...grant } });
    expect((await call(made.key)).status).toBe(200);
    expect((await call(made.key, { ...hello, model: 'demo/tools' })).status).toBe(403);
    const own = await gateway.as('admin', 'POST', '/api/grants', {
      spec: { subject_type: 'user', subject: 'urn:pailou:service#build', capability: 'model/demo/tools', action: 'use' },
    });
    expect(own.status, own.text).toBe(201);
    expect(own.json.warnings ?? []).toEqual([]);
    expect((await call(made.key, { ...hello, model: 'demo/tools' })).status).toBe(200);
    const usage = await eventually(
      async () => (await gateway.as('admin', 'GET', '/api/usage?by=user')).json.data as { user: string; calls: number }[],
      (lines) => lines.some(({ user }) => user === 'urn:pailou:service#build'),
    );
    expect(usage.find(({ user }) => user === 'urn:pailou:service#build')?.calls).toBeGreaterThan(0);
    const limited = await gateway.as('admin', 'POST', '/api/limits', {
      name: 'build-limit',
      spec: { subject_type: 'user', subject: 'urn:pailou:service#build', requests_per_minute: 1 },
    });
    expect(limited.status, limited.text).toBe(201);
    expect((await call(made.key)).status).toBe(200);
    expect((await call(made.key)).status).toBe(429);
  });

  it('of the name of a person is not that person', async () => {
    await account('admin', ['ci']);
    const made = await make('admin', { service: 'admin' });
    expect(made.owner).toBe('urn:pailou:service#admin');
    expect((await call(made.key, { ...hello, model: 'demo/tools' })).status, 'the grants of the person are not its own').toBe(403);
    expect((await gateway.as(null, 'GET', '/api/keys', undefined, { authorization: `Bearer ${made.key}` })).status).toBe(403);
    const personal = ((await gateway.as('developer', 'GET', '/api/keys')).json.data as Key[]).map(({ id }) => id);
    expect(personal).not.toContain(made.id);
  });

  it('and its keys are for administrators alone', async () => {
    await account('nightly', ['developer']);
    for (const who of ['developer', 'user', 'viewer'] as const) {
      expect(await refused(who, { service: 'nightly' }), who).toBe('403 service');
      expect((await gateway.as(who, 'GET', '/api/service-accounts')).json.data, who).toEqual([]);
      expect((await gateway.as(who, 'GET', '/api/service-accounts/nightly')).status, who).toBe(403);
      const created = await gateway.as(who, 'POST', '/api/service-accounts', { name: `of-${who}`, spec: { roles: ['admin'] } });
      expect(created.status, who).toBe(403);
    }
    expect(await refused('admin', { service: 'unknown' })).toBe('404 service');
    const { id, key } = await make('admin', { service: 'nightly', permissions: ['llm:model:use'] });
    expect((await call(key)).status).toBe(200);
    expect((await gateway.as('developer', 'DELETE', `/api/keys/${id}`)).status).toBe(404);
    const next = await gateway.as('admin', 'POST', `/api/keys/${id}/rotate`, { overlap_hours: 0 });
    expect(next.json).toMatchObject({ service: 'nightly', permissions: ['llm:model:use'] });
    expect((await call(next.json.key)).status).toBe(200);
    expect((await gateway.as('admin', 'DELETE', `/api/keys/${next.json.id}`)).status).toBe(204);
    expect((await call(next.json.key)).status).toBe(401);
  });

  it('loses at once what its row loses, and ends with it; another one of its name gets none of its keys', async () => {
    await account('batch', ['developer']);
    const { key } = await make('admin', { service: 'batch' });
    expect((await call(key)).status).toBe(200);
    await gateway.as('admin', 'PUT', '/api/service-accounts/batch', { spec: { roles: ['viewer'] } });
    expect((await call(key)).status, 'a viewer may not use').toBe(403);
    await gateway.as('admin', 'PATCH', '/api/service-accounts/batch', { spec: { roles: ['developer'] } });
    expect((await call(key)).status).toBe(200);
    await gateway.as('admin', 'PATCH', '/api/service-accounts/batch', { enabled: false });
    expect((await call(key)).status).toBe(401);
    await gateway.as('admin', 'PATCH', '/api/service-accounts/batch', { enabled: true });
    expect((await call(key)).status).toBe(200);
    expect((await gateway.as('admin', 'DELETE', '/api/service-accounts/batch')).status).toBe(204);
    expect((await call(key)).status).toBe(401);
    await account('batch', ['developer']);
    expect((await call(key)).status, 'a new row of the name is another account').toBe(401);
  });

  describe('takes its grants along', () => {
    const ref = (name: string): string => `urn:pailou:service#${name}`;
    const tools = { ...hello, model: 'demo/tools' };
    const grant = (name: string, owner: string) =>
      gateway.as('admin', 'POST', '/api/grants', {
        name,
        spec: { subject_type: 'user', subject: ref(owner), capability: 'model/demo/tools', action: 'use' },
      });
    const revision = async (): Promise<number> => (await gateway.as('admin', 'GET', '/api/config/revision')).json.revision;
    const rollBack = (to: number, only?: object) =>
      gateway.as('admin', 'POST', '/api/config/rollback', { revision: to, ...(only === undefined ? {} : { only }) });
    const reaches = async (name: string): Promise<number> => (await call((await make('admin', { service: name })).key, tools)).status;

    it('so that a later account of its name has none of them, also not by undoing their deletion', async () => {
      await account('deploy', ['ci']);
      expect((await grant('for-deploy', 'deploy')).status).toBe(201);
      expect(await reaches('deploy')).toBe(200);
      const before = await revision();
      const deleted = await gateway.as('admin', 'DELETE', '/api/service-accounts/deploy');
      expect(deleted.status, deleted.text).toBe(204);
      expect((await gateway.as('admin', 'GET', '/api/grants/for-deploy')).status).toBe(404);
      await account('deploy', ['ci']);
      expect(await reaches('deploy')).toBe(403);
      expect((await rollBack(before, { kind: 'grant', name: 'for-deploy' })).json).toMatchObject({ changes: 0 });
      expect((await gateway.as('admin', 'GET', '/api/grants/for-deploy')).status, 'the grant was to another account').toBe(404);
      expect(await reaches('deploy')).toBe(403);
    });

    it('and brings them back with it', async () => {
      await account('publish', ['ci']);
      await grant('for-publish', 'publish');
      const { key } = await make('admin', { service: 'publish' });
      const before = await revision();
      await gateway.as('admin', 'DELETE', '/api/service-accounts/publish');
      const restored = await rollBack(before, { kind: 'service', name: 'publish' });
      expect(restored.status, restored.text).toBe(200);
      expect((await gateway.as('admin', 'GET', '/api/grants/for-publish')).status).toBe(200);
      expect((await call(key, tools)).status, 'the same account, with its key').toBe(200);
    });

    it('and no grant waits for an account that does not exist, nor does an account own a row', async () => {
      const early = await grant('too-early', 'not-yet');
      expect(early.status).toBe(400);
      expect(early.json.error).toMatchObject({ code: 'configuration_invalid', param: 'spec.subject' });
      const owned = await gateway.as('admin', 'PATCH', '/api/models/demo/tools', { owner: ref('publish') });
      expect(owned.status, owned.text).toBe(400);
      expect(owned.json.error.param).toBe('owner');
    });
  });
});
