/** GET /api/runs/stream over real sockets: the runs of the list as they end, with the rights of the list, until the node stops. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';

interface Heard {
  readonly name: string;
  // oxlint-disable-next-line no-explicit-any -- tests look into events of every shape
  readonly data: any;
}

let companies: Companies;
const chief = chiefOf('ours');
const foreigner = chiefOf('theirs');
const user: Person = { subject: 'our-user', tenant: 'ours', roles: ['user'] };

beforeAll(async () => {
  companies = await startCompanies({ PAILOU_RECHECK_SECONDS: '1' });
  for (const each of [chief, foreigner]) {
    await companies.must(each, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
    const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
    for (const name of ['one', 'two']) await companies.must(each, 'POST', '/api/models', { name, spec });
  }
  const spec = { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' };
  await companies.must(chief, 'POST', '/api/grants', { spec });
});
afterAll(() => companies[Symbol.asyncDispose]());

/** An open stream whose `next` gives one event after the other; null after the last. */
async function follow(person: Person, query = '', accept = 'text/event-stream') {
  const stop = new AbortController();
  const response = await fetch(`${companies.gateway.url}/api/runs/stream${query}`, {
    headers: { authorization: `Bearer ${await companies.tokenOf(person)}`, accept },
    signal: stop.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  const next = async (): Promise<Heard | null> => {
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end !== -1) {
        const text = rest.slice(0, end);
        rest = rest.slice(end + 2);
        const [, name = '', data = '{}'] = /^event: (.*)\ndata: (.*)$/.exec(text) ?? [];
        if (name !== '') return { name, data: JSON.parse(data) };
        continue;
      }
      const part = await reader?.read();
      if (part === undefined || part.done) return null;
      rest += part.value;
    }
  };
  return { response, next, [Symbol.dispose]: () => stop.abort() };
}

const chat = (person: Person, model: string) =>
  companies.must(person, 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] });

it('sends each run that ended, with the members of the list: all to administrators, their own to others, none to another tenant', async () => {
  using all = await follow(chief);
  using own = await follow(user);
  using foreign = await follow(foreigner);
  using narrow = await follow(chief, '?model=two');
  expect(all.response.headers.get('content-type')).toContain('text/event-stream');
  for (const each of [all, own, foreign, narrow]) expect(await each.next()).toEqual({ name: 'ready', data: {} });
  await chat(chief, 'one');
  const first = await all.next();
  expect(first).toMatchObject({ name: 'run', data: { subject: 'chief-of-ours', capability: 'model/one', outcome: 'complete' } });
  const { data } = (await companies.must(chief, 'GET', '/api/runs')).json;
  expect(first?.data).toEqual(data[0]);
  await chat(user, 'two');
  await chat(foreigner, 'two');
  expect(await own.next()).toMatchObject({ name: 'run', data: { subject: 'our-user', capability: 'model/two' } });
  expect(await narrow.next()).toMatchObject({ name: 'run', data: { subject: 'our-user', capability: 'model/two' } });
  // The runs before are of the other tenant.
  expect(await foreign.next()).toMatchObject({ name: 'run', data: { subject: 'chief-of-theirs' } });
});

it('sends the runs of a team to its administrators, and ends when they administer it no more', async () => {
  const lead: Person = { subject: 'lead', tenant: 'ours', roles: ['user'] };
  const member: Person = { subject: 'member', tenant: 'ours', roles: ['user', 'research'] };
  for (const person of [lead, member]) await companies.as(person, 'GET', '/api/me');
  await companies.must(chief, 'POST', '/api/teams', { name: 'lab', spec: { role: 'research', administrators: ['lead'] } });
  using refused = await follow(member, '?team=lab');
  expect(refused.response.status).toBe(403);
  using ofTeam = await follow(lead, '?team=lab');
  expect(await ofTeam.next()).toMatchObject({ name: 'ready' });
  await chat(user, 'one');
  await chat(member, 'one');
  // The caller of the run before is not in the team.
  expect(await ofTeam.next()).toMatchObject({ name: 'run', data: { subject: 'member' } });
  await companies.must(chief, 'PATCH', '/api/teams/lab', { spec: { administrators: [] } });
  expect(await ofTeam.next()).toMatchObject({ name: 'failed', data: { error: { code: 'permission_denied' } } });
  expect(await ofTeam.next()).toBeNull();
});

it('refuses what the list refuses', async () => {
  const asked = async (person: Person, query: string) => (await follow(person, query)).response.status;
  expect(await asked(user, '?user=chief-of-ours')).toBe(403);
  expect(await asked(user, '?user=our-user')).toBe(200);
  expect(await asked(chief, '?outcome=good')).toBe(400);
  expect(await asked(chief, '?limit=5')).toBe(400);
  const endless = await companies.as(chief, 'GET', '/api/runs/stream');
  expect(endless.status).toBe(400);
  expect(endless.json.error).toMatchObject({ param: 'Accept', message: expect.stringContaining('Accept: text/event-stream') });
});

it('opens eight streams for one person at most, and another one when one is closed', async () => {
  const reader: Person = { subject: 'reader', tenant: 'ours', roles: ['user'] };
  using streams = new DisposableStack();
  const open = [];
  for (let count = 0; count < 8; count++) open.push(streams.use(await follow(reader)));
  expect(open.map(({ response }) => response.status)).toEqual(Array(8).fill(200));
  const refused = await companies.as(reader, 'GET', '/api/runs/stream', undefined, { accept: 'text/event-stream' });
  expect(refused.status).toBe(429);
  expect(refused.json.error).toMatchObject({ code: 'rate_limited', message: expect.stringContaining('Close one of them') });
  open[0]?.[Symbol.dispose]();
  for (;;) {
    using again = await follow(reader);
    if (again.response.status === 200) break;
  }
});

it('ends when its person is blocked', async () => {
  const leaver: Person = { subject: 'leaver', tenant: 'ours', roles: ['admin'] };
  using stream = await follow(leaver);
  expect(await stream.next()).toMatchObject({ name: 'ready' });
  await companies.must(chief, 'POST', '/api/people/leaver/block', { reason: 'left the company' });
  expect(await stream.next()).toMatchObject({ name: 'failed', data: { error: { code: 'permission_denied' } } });
  expect(await stream.next()).toBeNull();
});

it('ends with its token, without an error', async () => {
  const { service, signer } = companies;
  const exp = Math.floor(Date.now() / 1_000) + 3;
  const token = await service.sign(signer, { sub: 'brief', tenant_id: 'ours', roles: ['user'], scope: 'llm:*:use', exp });
  const response = await fetch(`${companies.gateway.url}/api/runs/stream`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
  });
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text).toContain('event: ready');
  expect(text).not.toContain('failed');
});

it('ends with the node, explicitly', async () => {
  using stream = await follow(chief);
  expect(await stream.next()).toMatchObject({ name: 'ready' });
  await companies.restart();
  expect(await stream.next()).toMatchObject({ name: 'failed', data: { error: { code: 'shutting_down' } } });
  expect(await stream.next()).toBeNull();
});
