/** Grants belong to rows, not to names, over HTTP: on both databases, before and after a restart. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase } from '../storage/databases.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

const chief = chiefOf('acme');
const [ann, ben] = ['ann', 'ben'].map((subject): Person => ({ subject, tenant: 'acme', roles: ['developer'] })) as [Person, Person];
const ulla: Person = { subject: 'ulla', tenant: 'acme', roles: ['user'] };
const hello = [{ role: 'user', content: 'Hi' }];
const deployments = [{ provider: 'demo', model: 'echo' }];

describe.each(databaseKinds)('on $name', (databaseKind) => {
  describe.skipIf(databaseKind.missing)('grants', () => {
    let database: TestDatabase;
    let companies: Companies;
    let tools: ToolServer;
    let made = 0;
    const fresh = (): string => `m-${++made}`;

    beforeAll(async () => {
      database = await databaseKind.createMigrated();
      tools = await startToolServer();
      companies = await startCompanies(database.url === null ? {} : { PAILOU_DATABASE_URL: database.url });
      for (const person of [ann, ben, ulla]) await companies.must(person, 'GET', '/api/me');
      await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
      await companies.lend('demo');
    });
    afterAll(async () => {
      await companies[Symbol.asyncDispose]();
      await tools[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    });

    const model = (who: Person, name: string, tags: string[] = []) =>
      companies.must(who, 'POST', '/api/models', { name, spec: { deployments, tags } });
    const grant = (capability: string, over: object = {}) =>
      companies.as(chief, 'POST', '/api/grants', { spec: { subject_type: 'user', subject: 'ulla', capability, action: 'use', ...over } });
    const use = async (name: string, who: Person = ulla): Promise<number> =>
      (await companies.as(who, 'POST', '/v1/chat/completions', { model: name, messages: hello })).status;
    const grants = async (): Promise<{ name: string; spec: { capability: string } }[]> =>
      (await companies.must(chief, 'GET', '/api/grants?limit=100')).json.data;

    it('reach a team: all people with one role or group in their token, with every kind of place', async () => {
      const [row, tagged, other] = [fresh(), fresh(), fresh()];
      await model(chief, row);
      await model(chief, tagged, ['sales-only']);
      await model(chief, other);
      const member: Person = { subject: 'sara', tenant: 'acme', roles: ['user', 'sales'] };
      for (const capability of [`model/${row}`, 'model/#sales-only']) {
        const given = await grant(capability, { subject_type: 'team', subject: 'sales' });
        expect(given.status, given.text).toBe(201);
      }
      expect([await use(row, member), await use(tagged, member), await use(other, member)]).toEqual([200, 200, 403]);
      expect([await use(row, ulla), await use(tagged, ulla)]).toEqual([403, 403]);
      expect((await companies.as(member, 'GET', `/api/explain?action=use&capability=model/${row}`)).json.allowed).toBe(true);
      const again = await grant(`model/${row}`, { subject_type: 'team', subject: 'sales' });
      expect([again.status, again.json.error.code]).toEqual([409, 'already_exists']);
      expect((await grant(`model/${row}`, { subject_type: 'group', subject: 'sales' })).json.error.param).toBe('spec.subject_type');
      const [held] = (await grants()).filter(({ spec }) => spec.capability === `model/${row}`);
      await companies.must(chief, 'DELETE', `/api/grants/${held?.name}`);
      expect(await use(row, member)).toBe(403);
    });

    it('are deleted with their row, and a new row of its name inherits none, even after a restart', async () => {
      const name = fresh();
      await model(chief, name);
      const given = await grant(`model/${name}`);
      expect(given.status, given.text).toBe(201);
      expect(await use(name)).toBe(200);
      const deleted = await companies.as(chief, 'DELETE', `/api/models/${name}`);
      expect(deleted.status).toBe(204);
      expect(deleted.headers.get('x-pailou-deleted-grants')).toBe(`1, ${given.json.name}`);
      expect((await grants()).map((each) => each.name)).not.toContain(given.json.name);
      const { json } = await companies.must(chief, 'GET', `/api/audit?target=grant/${given.json.name}&act=delete`);
      expect(json.data).toMatchObject([{ detail: `delete model ${name}`, before: { name: given.json.name } }]);
      await model(ann, name);
      expect(await use(name)).toBe(403);
      await companies.restart();
      expect(await use(name)).toBe(403);
    });

    it('return with the row that a rollback restores', async () => {
      const name = fresh();
      await model(chief, name);
      const { headers } = await grant(`model/${name}`);
      await companies.must(chief, 'DELETE', `/api/models/${name}`);
      await model(ann, name);
      expect(await use(name)).toBe(403);
      await companies.must(chief, 'POST', '/api/config/rollback', { revision: Number(headers.get('x-pailou-revision')) });
      expect((await companies.must(chief, 'GET', `/api/models/${name}`)).json.owner).toBe('chief-of-acme');
      expect(await use(name)).toBe(200);
    });

    it('on a tool or on all tools of a server are bound to the server', async () => {
      const spec = { kind: 'http', options: { url: tools.url } };
      const call = async (name: string): Promise<string> => {
        const answer = await companies.as(
          ulla,
          'POST',
          `/mcp/${name}`,
          { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'say', arguments: {} } },
          { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' },
        );
        return answer.text;
      };
      for (const capability of ['mcp/files/say', 'mcp/files/*', 'mcp/files']) {
        await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'files', spec });
        const given = await grant(capability);
        expect(given.status, given.text).toBe(201);
        expect(await call('files'), capability).toContain('said');
        await companies.must(chief, 'DELETE', '/api/mcp-servers/files');
        expect((await grants()).filter((each) => each.spec.capability === capability)).toEqual([]);
        await companies.must(ann, 'POST', '/api/mcp-servers', { name: 'files', spec });
        expect(await call('files'), capability).not.toContain('said');
        await companies.must(ann, 'DELETE', '/api/mcp-servers/files');
      }
    });

    it('on an unknown name are refused, with the nearest name', async () => {
      const name = fresh();
      await model(chief, name);
      const refused = await grant(`model/${name}x`);
      expect(refused, refused.text).toMatchObject({ status: 400, json: { error: { param: 'spec.capability' } } });
      expect(refused.json.error.message).toContain(`Did you mean "${name}"?`);
      expect((await grant('mcp/nowhere/read')).status).toBe(400);
      expect((await grant('skill/nothing@1.0.0')).status).toBe(400);
    });

    it('that exist already get 409, however many concurrent requests there are', async () => {
      const name = fresh();
      await model(chief, name);
      const answers = await Promise.all([1, 2, 3].map(() => grant(`model/${name}`)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
      expect((await grant(`model/${name}`, { action: 'view' })).status).toBe(201);
      const others = (await grants()).filter(({ spec }) => spec.capability === `model/${name}`);
      const view = others.find(({ spec }) => (spec as unknown as { action: string }).action === 'view');
      const same = { subject_type: 'user', subject: 'ulla', capability: `model/${name}`, action: 'use' };
      expect((await companies.as(chief, 'PUT', `/api/grants/${view?.name}`, { spec: same })).status).toBe(409);
      expect((await grant('model/many-*')).status).toBe(201);
      expect((await grant('model/many-*')).status).toBe(409);
    });

    it('for an unknown user, role or client are accepted with a warning', async () => {
      const name = fresh();
      await model(chief, name);
      const known = [
        { subject_type: 'user', subject: 'ben' },
        { subject_type: 'role', subject: 'viewer' },
      ];
      const unknown = ['user', 'role', 'client'].map((type) => ({ subject_type: type, subject: `no-${type}%` }));
      for (const subject of known) {
        const given = await grant(`model/${name}`, subject);
        expect({ status: given.status, warnings: given.json.warnings }, given.text).toEqual({ status: 201, warnings: undefined });
      }
      for (const subject of unknown) {
        const given = await grant(`model/${name}`, subject);
        expect({ status: given.status, warnings: given.json.warnings?.length }, given.text).toEqual({ status: 201, warnings: 1 });
        expect(given.json.warnings[0]).toContain(subject.subject);
      }
    });

    it('by a pattern or a tag do not apply to rows that a developer created before the grant', async () => {
      const [byName, byTag, ours] = ['team-evil', fresh(), 'team-good'];
      await model(ann, byName);
      await model(ann, byTag, ['blessed']);
      await model(chief, ours, ['blessed']);
      expect((await grant('model/team-*')).status).toBe(201);
      expect((await grant('model/#blessed')).status).toBe(201);
      expect(await use(ours)).toBe(200);
      for (const name of [byName, byTag]) expect(await use(name), name).toBe(403);
      await companies.restart();
      for (const name of [byName, byTag]) expect(await use(name), name).toBe(403);
      // A row that an administrator saves is approved unchanged.
      for (const [name, tags] of [
        [byName, []],
        [byTag, ['blessed']],
      ] as const) {
        await companies.must(chief, 'PUT', `/api/models/${name}`, { spec: { deployments, tags } });
        expect(await use(name), name).toBe(200);
      }
    });

    it('by a tag do not apply to a tag that the owner added after the approval, whatever an administrator changes in part', async () => {
      const name = fresh();
      await model(ann, name);
      await companies.must(chief, 'PUT', `/api/models/${name}`, { spec: { deployments, tags: ['first'] } });
      await companies.must(ann, 'PATCH', `/api/models/${name}`, { spec: { tags: ['first', 'later'] } });
      expect((await grant('model/#later')).status).toBe(201);
      for (const patch of [{ enabled: true }, { spec: { description: 'Fast.' } }]) {
        await companies.must(chief, 'PATCH', `/api/models/${name}`, patch);
        expect(await use(name)).toBe(403);
      }
      expect((await grant('model/#third')).status).toBe(201);
      await companies.must(chief, 'PATCH', `/api/models/${name}`, { spec: { tags: ['first', 'later', 'third'] } });
      expect(await use(name)).toBe(200);
    });

    it('and limits reserve their names and tags: only administrators may use them, or drop those of a limit', async () => {
      const limit = { subject_type: 'tenant', capability: 'model/#costly', requests_per_minute: 1_000 };
      await companies.must(chief, 'POST', '/api/limits', { name: 'costly', spec: limit });
      const refused = async (answer: Promise<{ status: number; text: string; json: { error?: { param: string } } }>, param: string) => {
        const { status, text, json } = await answer;
        expect({ status, param: json.error?.param }, text).toEqual({ status: 403, param });
      };
      const create = (who: Person, name: string, tags: string[] = []) =>
        companies.as(who, 'POST', '/api/models', { name, spec: { deployments, tags } });
      await refused(create(ann, 'team-two'), 'name');
      for (const tag of ['blessed', 'costly']) await refused(create(ann, fresh(), [tag]), 'spec.tags');
      const name = fresh();
      await model(ann, name, ['mine']);
      const put = (who: Person, tags: string[]) => companies.as(who, 'PUT', `/api/models/${name}`, { spec: { deployments, tags } });
      await refused(put(ann, ['mine', 'blessed']), 'spec.tags');
      expect((await put(chief, ['costly', 'blessed'])).status).toBe(200);
      expect(await use(name)).toBe(200);
      await refused(put(ann, ['blessed']), 'spec.tags');
      // Its owner may still change other fields, and keep harmless tags.
      expect((await put(ann, ['costly', 'blessed'])).status).toBe(200);
      expect((await put(ann, ['costly'])).status).toBe(200);
      expect(await use(name)).toBe(403);
      await refused(put(ann, ['costly', 'blessed']), 'spec.tags');
      // An import is a write like any other.
      expect((await grant('skill/team-*')).status).toBe(201);
      const spec = { description: 'x', model: name, options: { instructions: 'Say it.' } };
      await refused(companies.as(ann, 'POST', '/api/skills', { name: 'team-talk', spec }), 'name');
      expect((await companies.as(chief, 'POST', '/api/skills', { name: 'team-talk', spec })).status).toBe(201);
    });

    it('reserve names together with other rows of administrators that still refer to a deleted row', async () => {
      const spec = { kind: 'http', options: { url: tools.url } };
      const skill = { description: 'x', model: 'team-good', tools: ['mcp/lent/say'], options: { instructions: 'Say it.' } };
      await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'lent', spec });
      await companies.must(chief, 'POST', '/api/mcp-servers', {
        name: 'lender',
        spec: { kind: 'virtual', options: { tools: ['lent/*'] } },
      });
      await companies.must(chief, 'POST', '/api/skills', { name: 'of-chief', spec: skill });
      await companies.must(chief, 'DELETE', '/api/mcp-servers/lent');
      for (const left of ['mcp-servers/lender', 'skills/of-chief']) {
        const taken = await companies.as(ann, 'POST', '/api/mcp-servers', { name: 'lent', spec });
        expect(taken, taken.text).toMatchObject({ status: 403, json: { error: { param: 'name' } } });
        await companies.must(chief, 'DELETE', `/api/${left}`);
      }
      expect((await companies.as(ann, 'POST', '/api/mcp-servers', { name: 'lent', spec })).status).toBe(201);
    });

    it('are reserved by developers’ rows too: a name in use by another developer’s skill or model cannot be taken', async () => {
      const bob: Person = { subject: 'bob', tenant: 'acme', roles: ['developer'] };
      await companies.must(bob, 'GET', '/api/me');
      const spec = { kind: 'http', options: { url: tools.url } };
      const skill = { description: 'x', model: 'team-good', tools: ['mcp/gone/say'], options: { instructions: 'Say it.' } };
      await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'gone', spec });
      await companies.must(bob, 'POST', '/api/skills', { name: 'of-bob', spec: skill });
      await companies.must(bob, 'POST', '/api/skills/of-bob/publish', {});
      await companies.must(bob, 'PUT', '/api/skills/of-bob', { spec: { ...skill, tools: [], version: '1.1.0' } });
      await companies.must(chief, 'DELETE', '/api/mcp-servers/gone');
      const taken = await companies.as(ann, 'POST', '/api/mcp-servers', { name: 'gone', spec });
      expect(taken, taken.text).toMatchObject({ status: 403, json: { error: { param: 'name' } } });
      // The owner of the row that names it controls it.
      await companies.must(bob, 'POST', '/api/mcp-servers', { name: 'gone', spec });
      await companies.must(bob, 'DELETE', '/api/mcp-servers/gone');
      await companies.must(bob, 'DELETE', '/api/skills/of-bob');
      await companies.must(ann, 'POST', '/api/mcp-servers', { name: 'gone', spec });
    });
  });
});
