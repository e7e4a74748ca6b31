/** Teams over HTTP: who may do what with a team, its service accounts, their keys, its usage and its runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { eventually } from './gateway.ts';

let companies: Companies;

const acme = chiefOf('acme');
const lead: Person = { subject: 'lead', tenant: 'acme', roles: ['user', 'research', 'team-lead'] };
const named: Person = { subject: 'named', tenant: 'acme', roles: ['user'] };
const member: Person = { subject: 'member', tenant: 'acme', roles: ['user', 'research'] };
/** Has the role of administrators without being a member. */
const elsewhere: Person = { subject: 'elsewhere', tenant: 'acme', roles: ['user', 'sales', 'team-lead'] };
const stranger: Person = { subject: 'stranger', tenant: 'acme', roles: ['developer'] };
const foreign: Person = { subject: 'foreign', tenant: 'rival', roles: ['user', 'research', 'team-lead'] };
const rival = chiefOf('rival');

const hello = (model = 'echo') => ({ model, messages: [{ role: 'user', content: 'Hi' }] });
const call = (key: string, model?: string) => companies.with(key, 'POST', '/v1/chat/completions', hello(model));
const grant = (subject_type: string, subject: string, capability: string) =>
  companies.must(acme, 'POST', '/api/grants', { spec: { subject_type, subject, capability, action: 'use' } });
const account = (name: string, spec: object) => companies.must(acme, 'POST', '/api/service-accounts', { name, spec });
const team = (name: string, spec: object) => companies.must(acme, 'POST', '/api/teams', { name, spec });

beforeAll(async () => {
  companies = await startCompanies();
  for (const chief of [acme, rival]) {
    await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
    for (const name of ['echo', 'tools', 'slow'])
      await companies.must(chief, 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'demo', model: name }] } });
  }
  for (const person of [lead, named, member, elsewhere, stranger, foreign]) await companies.as(person, 'GET', '/api/me');
  await team('lab', { role: 'research', administrator_role: 'team-lead', administrators: ['named'] });
  await team('shop', { role: 'sales', administrators: ['stranger'] });
  await grant('team', 'research', 'model/echo');
  await grant('team', 'sales', 'model/tools');
  await account('lab-bot', { team: 'lab' });
  await account('shop-bot', { team: 'shop' });
  await account('loose', { roles: ['research'] });
});
afterAll(async () => companies[Symbol.asyncDispose]());

describe('who may do what with a team', () => {
  const put = { spec: { role: 'research', administrators: ['named'] } };
  const operations: Readonly<Record<string, (who: Person) => Promise<{ status: number }>>> = {
    'read the team': (who) => companies.as(who, 'GET', '/api/teams/lab'),
    'see its members': (who) => companies.as(who, 'GET', '/api/teams/lab/members'),
    'see its usage': (who) => companies.as(who, 'GET', '/api/usage?team=lab&by=user'),
    'see its time series': (who) => companies.as(who, 'GET', '/api/reports/series?team=lab&by=user'),
    'see its runs': (who) => companies.as(who, 'GET', '/api/runs?team=lab'),
    'read its service account': (who) => companies.as(who, 'GET', '/api/service-accounts/lab-bot'),
    'make a key for its service account': (who) => companies.as(who, 'POST', '/api/keys', { service: 'lab-bot' }),
    'make a key for a service account of another team': (who) => companies.as(who, 'POST', '/api/keys', { service: 'shop-bot' }),
    'make a key for a service account without a team': (who) => companies.as(who, 'POST', '/api/keys', { service: 'loose' }),
    'make a key for another person': (who) => companies.as(who, 'POST', '/api/keys', { for: 'stranger' }),
    'change the team': (who) => companies.as(who, 'PATCH', '/api/teams/lab', { spec: { role: 'research' } }),
    'replace the team': (who) => companies.as(who, 'PUT', '/api/teams/lab', put),
    'create a team': (who) => companies.as(who, 'POST', '/api/teams', { name: `of-${who.subject}-${who.tenant}`, spec: { role: 'new' } }),
    'delete the team': (who) => companies.as(who, 'DELETE', '/api/teams/lab'),
    'move its service account': (who) => companies.as(who, 'PATCH', '/api/service-accounts/lab-bot', { spec: { team: 'shop' } }),
    'create a service account': (who) =>
      companies.as(who, 'POST', '/api/service-accounts', { name: `by-${who.subject}-${who.tenant}`, spec: { roles: ['x'] } }),
    'delete its service account': (who) => companies.as(who, 'DELETE', '/api/service-accounts/lab-bot'),
    'grant to the team': (who) =>
      companies.as(who, 'POST', '/api/grants', {
        spec: { subject_type: 'team', subject: 'research', capability: 'model/slow', action: 'use' },
      }),
    'see the usage of another team': (who) => companies.as(who, 'GET', '/api/usage?team=shop'),
    'see the time series of another team': (who) => companies.as(who, 'GET', '/api/reports/series?team=shop'),
    'see the runs of another team': (who) => companies.as(who, 'GET', '/api/runs?team=shop'),
  };
  const own = new Set([
    'read the team',
    'see its members',
    'see its usage',
    'see its time series',
    'see its runs',
    'read its service account',
  ]);
  const keys = new Set([...own, 'make a key for its service account']);

  it.each([
    ['an administrator of the team by role', lead, keys],
    ['an administrator of the team by name', named, keys],
    ['a member', member, new Set<string>()],
    ['an administrator of another team', elsewhere, new Set<string>()],
  ])('%s is refused everything else', async (_title, who, allowed) => {
    for (const [operation, act] of Object.entries(operations)) {
      const { status } = await act(who);
      expect([operation, status < 300 ? 'allowed' : status]).toEqual([operation, allowed.has(operation) ? 'allowed' : 403]);
    }
  });

  it('a person of another tenant sees no team, and no service account', async () => {
    for (const who of [foreign, rival])
      for (const [operation, act] of Object.entries(operations)) {
        if (operation.startsWith('create') || operation === 'grant to the team') continue;
        const { status } = await act(who);
        const refused = who === foreign && /^(?:make a key|change|replace|delete|move)/.test(operation) ? 403 : 404;
        expect([who.subject, operation, status]).toEqual([who.subject, operation, refused]);
      }
  });

  it('a list holds what the caller may read', async () => {
    const namesOf = async (who: Person, path: string) =>
      ((await companies.must(who, 'GET', path)).json.data as { name: string }[]).map(({ name }) => name);
    expect(await namesOf(acme, '/api/teams')).toEqual(['lab', 'shop']);
    expect(await namesOf(lead, '/api/teams')).toEqual(['lab']);
    expect(await namesOf(stranger, '/api/teams')).toEqual(['shop']);
    expect(await namesOf(lead, '/api/service-accounts')).toEqual(['lab-bot']);
    for (const who of [member, elsewhere, foreign])
      for (const path of ['/api/teams', '/api/service-accounts']) expect(await namesOf(who, path)).toEqual([]);
  });

  it('members are those whose last token had the role, in capital letters and all', async () => {
    await companies.as({ subject: 'shouting', tenant: 'acme', roles: ['user', 'RESEARCH'] }, 'GET', '/api/me');
    const members = await eventually(
      async () => (await companies.must(lead, 'GET', '/api/teams/lab/members')).json.data as { id: string; administrator: boolean }[],
      (found) => found.length >= 2,
    );
    expect(members.map(({ id, administrator }) => [id, administrator])).toEqual([
      ['lead', true],
      ['member', false],
    ]);
    const first = (await companies.must(lead, 'GET', '/api/teams/lab/members?limit=1')).json;
    const second = (await companies.must(lead, 'GET', `/api/teams/lab/members?limit=1&after=${first.next}`)).json;
    expect([first.data[0].id, second.data[0].id]).toEqual(['lead', 'member']);
  });
});

describe('a service account of a team', () => {
  it('reaches what the team may use and no more, whatever is granted to itself', async () => {
    await grant('user', 'urn:pailou:service#lab-bot', 'model/slow');
    const made = await companies.must(lead, 'POST', '/api/keys', { service: 'lab-bot' });
    expect(made.json).toMatchObject({ service: 'lab-bot', made_by: 'lead' });
    expect((await call(made.json.key)).status).toBe(200);
    expect((await call(made.json.key, 'tools')).status, 'of another team').toBe(403);
    expect((await call(made.json.key, 'slow')).status, 'granted to the account alone').toBe(403);
    const entries = (await companies.must(acme, 'GET', `/api/audit?target=key/${made.json.id}`)).json.data as { actor: string }[];
    expect(entries[0]?.actor).toBe('lead');
  });

  it('has no roles of its own', async () => {
    const refused = await companies.as(acme, 'POST', '/api/service-accounts', {
      name: 'both',
      spec: { team: 'lab', roles: ['developer'] },
    });
    expect([refused.status, refused.json.error.param]).toEqual([400, 'spec.roles']);
    const neither = await companies.as(acme, 'POST', '/api/service-accounts', { name: 'neither', spec: {} });
    expect([neither.status, neither.json.error.param]).toEqual([400, 'spec.roles']);
    const unknown = await companies.as(acme, 'POST', '/api/service-accounts', { name: 'unknown', spec: { team: 'lap' } });
    expect([unknown.status, unknown.json.error.param]).toEqual([400, 'spec.team']);
    expect(unknown.json.error.message).toContain('lab');
  });

  it('has keys that its team makes, lists and revokes, and only administrators change', async () => {
    const { id, key } = (await companies.must(lead, 'POST', '/api/keys', { service: 'lab-bot' })).json;
    const listed = (await companies.must(named, 'GET', '/api/keys')).json.data as { id: string; service: string }[];
    expect(listed.map((each) => each.id)).toContain(id);
    expect(listed.every(({ service }) => service === 'lab-bot')).toBe(true);
    for (const body of [{ enabled: false }, { title: 'mine' }, { addresses: null }])
      expect((await companies.as(lead, 'PATCH', `/api/keys/${id}`, body)).status).toBe(403);
    expect((await companies.as(lead, 'POST', `/api/keys/${id}/rotate`, {})).status).toBe(403);
    for (const who of [member, elsewhere, stranger, foreign])
      for (const method of ['GET', 'DELETE']) expect((await companies.as(who, method, `/api/keys/${id}`)).status).toBe(404);
    expect((await companies.as(named, 'DELETE', `/api/keys/${id}`)).status).toBe(204);
    expect((await call(key)).status).toBe(401);
  });

  it('gets no permission from a maker who lacks it', async () => {
    const looking: Person = { subject: 'named', tenant: 'acme', roles: ['viewer'], codes: ['llm:model:view'] };
    const refused = await companies.as(looking, 'POST', '/api/keys', {
      service: 'lab-bot',
      permissions: ['llm:model:view', 'llm:model:use'],
    });
    expect([refused.status, refused.json.error.param]).toEqual([403, 'permissions']);
    const made = await companies.must(looking, 'POST', '/api/keys', { service: 'lab-bot' });
    expect(made.json.permissions).toEqual(['llm:model:view']);
    expect((await call(made.json.key)).status).toBe(403);
  });

  it('gets none by a rotation either: an administrator without the permission cannot read its next secret', async () => {
    const { id } = (await companies.must(acme, 'POST', '/api/keys', { service: 'lab-bot' })).json;
    const looking: Person = { subject: 'looking-chief', tenant: 'acme', roles: ['admin'], codes: ['llm:model:view'] };
    const refused = await companies.as(looking, 'POST', `/api/keys/${id}/rotate`, {});
    expect([refused.status, refused.json.error.param]).toEqual([403, 'permissions']);
    expect(refused.json.error.message).toMatch(/llm:model:use.*Make another key/);
    expect((await companies.as(acme, 'GET', `/api/keys/${id}`)).json.replaced_by).toBeNull();
    const next = await companies.must(acme, 'POST', `/api/keys/${id}/rotate`, {});
    expect((await call(next.json.key)).status).toBe(200);
  });
});

describe('usage and runs of a team', () => {
  it('are those of callers who had its role then, its service accounts included', async () => {
    await account('usage-bot', { team: 'lab' });
    const { key } = (await companies.must(lead, 'POST', '/api/keys', { service: 'usage-bot' })).json;
    expect((await call(key)).status).toBe(200);
    for (const who of [member, stranger, elsewhere])
      await companies.as(who, 'POST', '/v1/chat/completions', hello(who === elsewhere ? 'tools' : 'echo'));
    const shouting: Person = { subject: 'shouting-caller', tenant: 'acme', roles: ['developer', 'RESEARCH', 're search'] };
    await companies.must(shouting, 'POST', '/v1/chat/completions', hello());
    type Line = { user: string; team: string; calls: number };
    const lines = await eventually(
      async () => (await companies.must(lead, 'GET', '/api/usage?team=lab&by=team,user')).json.data as Line[],
      (found) => found.some(({ user }) => user === 'member') && found.some(({ user }) => user === 'urn:pailou:service#usage-bot'),
    );
    expect(new Set(lines.map(({ user }) => user))).toEqual(
      new Set(['member', 'urn:pailou:service#lab-bot', 'urn:pailou:service#usage-bot']),
    );
    expect(lines.every((line) => line.team === 'lab' && line.calls > 0)).toBe(true);
    const all = await eventually(
      async () => (await companies.must(acme, 'GET', '/api/usage?by=team')).json.data as Line[],
      (found) => found.length === 2,
    );
    expect(all.map((line) => line.team).toSorted()).toEqual(['lab', 'shop']);

    type Series = { of: { team: string; user: string }; total: { calls: number } };
    const seriesOf = async (who: Person, query: string) =>
      (await companies.must(who, 'GET', `/api/reports/series?${query}`)).json.series as Series[];
    for (const step of ['hour', 'day']) {
      const own = await seriesOf(lead, `team=lab&by=team,user&step=${step}`);
      const expected = new Set(lines.map(({ user, calls }) => `lab ${user} ${calls}`));
      expect(new Set(own.map(({ of, total }) => `${of.team} ${of.user} ${total.calls}`)), step).toEqual(expected);
      expect(new Set((await seriesOf(acme, `by=team&step=${step}`)).map(({ of }) => of.team)), step).toEqual(new Set(['lab', 'shop']));
      expect((await seriesOf(member, `by=team,user&step=${step}`)).map(({ of }) => [of.team, of.user])).toEqual([['lab', 'member']]);
    }
    for (const [query, param] of [
      ['by=team,provider', 'by'],
      ['team=lab&deployment=x', 'deployment'],
      ['team=lap', 'team'],
    ])
      expect((await companies.as(acme, 'GET', `/api/reports/series?${query}`)).json.error.param).toBe(param);

    const runs = (await companies.must(named, 'GET', '/api/runs?team=lab')).json.data as { id: string; subject: string }[];
    expect(new Set(runs.map(({ subject }) => subject))).toEqual(new Set(['member', 'lab-bot', 'usage-bot']));
    const one = runs.find(({ subject }) => subject === 'member')?.id ?? '';
    const read = await companies.must(named, 'GET', `/api/runs/${one}?team=lab`);
    expect(read.json).toMatchObject({ id: one, content: null });
    expect((await companies.as(named, 'GET', `/api/runs/${one}`)).status, 'not as a run of their own').toBe(404);
    expect((await companies.as(stranger, 'GET', `/api/runs/${one}?team=shop`)).status, 'not a run of the other team').toBe(404);
    const csv = await companies.must(lead, 'GET', '/api/usage?team=lab&by=team&format=csv');
    expect(csv.text).toContain('lab');
    expect((await companies.as(acme, 'GET', '/api/usage?by=team,provider')).json.error.param).toBe('by');
  });

  it('are not those of an earlier team of its name or role', async () => {
    await team('brief', { role: 'briefly', administrators: ['named'] });
    const worker: Person = { subject: 'worker', tenant: 'acme', roles: ['developer', 'briefly'] };
    await companies.must(worker, 'POST', '/v1/chat/completions', hello());
    const runsOf = async () => (await companies.must(named, 'GET', '/api/runs?team=brief')).json.data as unknown[];
    const usageOf = async () => (await companies.must(named, 'GET', '/api/usage?team=brief&by=team')).json.data as unknown[];
    await eventually(
      async () => (await runsOf()).length + (await usageOf()).length,
      (found) => found === 2,
    );
    await companies.must(acme, 'DELETE', '/api/teams/brief');
    await team('brief', { role: 'briefly', administrators: ['named'] });
    expect(await runsOf()).toEqual([]);
    expect(await usageOf()).toEqual([]);
  });
});

describe('a team that ends', () => {
  it('leaves its keys without rights, and another one of its name does not get them', async () => {
    await team('crew', { role: 'crew', administrators: ['named'] });
    await grant('team', 'crew', 'model/echo');
    await account('crew-bot', { team: 'crew' });
    const { id, key } = (await companies.must(named, 'POST', '/api/keys', { service: 'crew-bot' })).json;
    expect((await call(key)).status).toBe(200);
    await companies.must(acme, 'PATCH', '/api/teams/crew', { enabled: false });
    expect((await call(key)).status).toBe(401);
    expect((await companies.as(named, 'POST', '/api/keys', { service: 'crew-bot' })).status).toBe(403);
    await companies.must(acme, 'PATCH', '/api/teams/crew', { enabled: true });
    expect((await call(key)).status).toBe(200);
    const { revision } = (await companies.must(acme, 'GET', '/api/teams/crew')).json;
    await companies.must(acme, 'DELETE', '/api/teams/crew');
    expect((await call(key)).status).toBe(401);
    await team('crew', { role: 'crew', administrators: ['named'] });
    expect((await call(key)).status, 'a new team of the name').toBe(401);
    expect((await companies.as(named, 'DELETE', `/api/keys/${id}`)).status, 'its administrators neither').toBe(404);
    expect((await companies.as(named, 'POST', '/api/keys', { service: 'crew-bot' })).status).toBe(403);
    await companies.must(acme, 'PATCH', '/api/service-accounts/crew-bot', { enabled: true });
    expect((await call(key)).status, 'a write that does not name the team').toBe(401);
    await companies.must(acme, 'PUT', '/api/service-accounts/crew-bot', { spec: { team: 'crew' } });
    expect((await call(key)).status, 'an administrator put it into the new team').toBe(200);
    expect(revision).toBeGreaterThan(0);
  });

  it('leaves its service accounts among the problems, with the remedy, until they have a team again', async () => {
    const problems = async (): Promise<{ kind: string; name: string; message: string }[]> =>
      (await companies.must(acme, 'GET', '/api/config/problems')).json.data.filter(({ name }: { name: string }) =>
        name.startsWith('gone-'),
      );
    await team('gone', { role: 'gone' });
    await account('gone-bot', { team: 'gone' });
    await account('gone-off', { team: 'gone' });
    await companies.must(acme, 'PATCH', '/api/service-accounts/gone-off', { enabled: false });
    expect(await problems()).toEqual([]);
    await companies.must(acme, 'DELETE', '/api/teams/gone');
    expect(await problems()).toMatchObject([
      { kind: 'service', name: 'gone-bot', message: expect.stringMatching(/spec\.team.*"gone".*was deleted\. Its keys are refused\./) },
    ]);
    expect((await companies.must(rival, 'GET', '/api/config/problems')).json.data).toEqual([]);
    const enabled = await companies.as(acme, 'PATCH', '/api/service-accounts/gone-off', { enabled: true });
    expect([enabled.status, enabled.json.error.param]).toEqual([400, 'spec.team']);
    await team('gone', { role: 'gone' });
    expect(await problems()).toMatchObject([{ name: 'gone-bot', message: expect.stringContaining('is another') }]);
    await companies.must(acme, 'PUT', '/api/service-accounts/gone-bot', { spec: { team: 'gone' } });
    expect(await problems()).toEqual([]);
    await companies.must(acme, 'DELETE', '/api/teams/gone');
    expect(await problems()).toHaveLength(1);
    await companies.must(acme, 'DELETE', '/api/service-accounts/gone-bot');
    expect(await problems()).toEqual([]);
  });

  it('returns with its accounts when its row is restored', async () => {
    await team('back', { role: 'research' });
    const made = await account('back-bot', { team: 'back' });
    const { key } = (await companies.must(acme, 'POST', '/api/keys', { service: 'back-bot' })).json;
    await companies.must(acme, 'DELETE', '/api/teams/back');
    expect((await call(key)).status).toBe(401);
    await companies.must(acme, 'POST', '/api/config/rollback', { revision: made.json.revision, only: { kind: 'team', name: 'back' } });
    expect((await companies.must(acme, 'GET', '/api/config/problems')).text).not.toContain('back-bot');
    expect((await call(key)).status).toBe(200);
  });
});

describe('the administrators of a team', () => {
  it('lose the team with their role, in the next token; and at once when the row no longer names them', async () => {
    await team('yard', { role: 'yard', administrator_role: 'yard-lead', administrators: ['named'] });
    await account('yard-bot', { team: 'yard' });
    const boss: Person = { subject: 'boss', tenant: 'acme', roles: ['user', 'yard', 'yard-lead'] };
    const { key } = (await companies.must(boss, 'POST', '/api/keys', { service: 'yard-bot' })).json;
    for (const roles of [['user', 'yard'], ['user', 'yard-lead'], ['user']]) {
      const after: Person = { ...boss, roles };
      expect((await companies.as(after, 'POST', '/api/keys', { service: 'yard-bot' })).status).toBe(403);
      expect((await companies.as(after, 'GET', '/api/runs?team=yard')).status).toBe(403);
    }
    await companies.must(named, 'GET', '/api/teams/yard');
    await companies.must(acme, 'PATCH', '/api/teams/yard', { spec: { administrators: [], administrator_role: null } });
    for (const who of [named, boss]) expect((await companies.as(who, 'GET', '/api/teams/yard')).status).toBe(403);
    expect((await companies.must(acme, 'GET', '/api/teams/yard')).json.spec).toMatchObject({ role: 'yard', administrators: [] });
    expect((await companies.with(key, 'GET', '/api/teams')).status, 'a key manages nothing').toBe(403);
  });

  it('are no team: the role admin makes none', async () => {
    const refused = await companies.as(acme, 'POST', '/api/teams', { name: 'chiefs', spec: { role: 'admin' } });
    expect([refused.status, refused.json.error.param]).toEqual([400, 'spec.role']);
  });
});
