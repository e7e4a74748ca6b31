/** Skills that run with their own list, over HTTP: allowed by an administrator for one version and its references, shown everywhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase } from '../storage/databases.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { eventually } from './gateway.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';
import { startVendor, type Vendor } from './vendor.ts';

const chief = chiefOf('acme');
const [ann, ben] = ['ann', 'ben'].map((subject): Person => ({ subject, tenant: 'acme', roles: ['developer'] })) as [Person, Person];
const ulla: Person = { subject: 'ulla', tenant: 'acme', roles: ['user'] };
const hello = [{ role: 'user', content: 'Hi' }];
const echo = { deployments: [{ provider: 'demo', model: 'echo' }] };

describe.each(databaseKinds)('on $name', (databaseKind) => {
  describe.skipIf(databaseKind.missing)('a skill that says runs_as: skill', () => {
    let database: TestDatabase;
    let companies: Companies;
    let tools: ToolServer;
    let vendor: Vendor;
    let made = 0;

    beforeAll(async () => {
      database = await databaseKind.createMigrated();
      tools = await startToolServer();
      vendor = await startVendor();
      vendor.behave(() => {});
      const url: Record<string, string> = database.url === null ? {} : { PAILOU_DATABASE_URL: database.url };
      companies = await startCompanies({ ...url, PAILOU_RECHECK_SECONDS: '1' });
      for (const person of [chief, ann, ben, ulla]) await companies.must(person, 'GET', '/api/me');
      await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
      await companies.must(chief, 'POST', '/api/providers', {
        name: 'silent',
        spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
      });
      for (const name of ['inner', 'other']) await companies.must(chief, 'POST', '/api/models', { name, spec: echo });
      await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'files', spec: { kind: 'http', options: { url: tools.url } } });
    });
    afterAll(async () => {
      await companies[Symbol.asyncDispose]();
      await tools[Symbol.asyncDispose]();
      await vendor[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    });

    const specOf = (over: object = {}): object => ({
      description: 'Says it.',
      model: 'inner',
      runs_as: 'skill',
      options: { instructions: 'Say it.' },
      ...over,
    });
    /** A published skill of `owner`, which ulla may use. */
    const publish = async (owner: Person, over: object = {}): Promise<string> => {
      const name = `s-${++made}`;
      await companies.must(owner, 'POST', '/api/skills', { name, spec: specOf(over) });
      await companies.must(owner, 'POST', `/api/skills/${name}/publish`, {});
      const spec = { subject_type: 'user', subject: 'ulla', capability: `skill/${name}`, action: 'use' };
      await companies.must(chief, 'POST', '/api/grants', { spec });
      return name;
    };
    const allow = (who: Person, name: string, version: string | null = '1.0.0') =>
      companies.as(who, 'POST', `/api/skills/${name}/runs-as`, { version });
    const run = (name: string, who: Person = ulla) => companies.as(who, 'POST', `/v1/skills/${name}/runs`, { input: { text: 'Hi' } });
    const status = async (name: string, who: Person = ulla): Promise<number> => (await run(name, who)).status;
    const mode = async (name: string): Promise<unknown> =>
      (await companies.must(ulla, 'GET', `/api/explain?capability=skill/${name}`)).json.runs_as.mode;

    it('gives its callers only the model that it names, once an administrator has allowed it, even after a restart', async () => {
      const name = await publish(ann);
      expect(await status(name)).toBe(403);
      expect(await mode(name)).toBe('caller');
      expect((await allow(ann, name)).status).toBe(403);
      expect((await allow(chief, name)).status).toBe(200);
      expect(await status(name)).toBe(200);
      const chat = await companies.as(ulla, 'POST', '/v1/chat/completions', { model: `skill/${name}`, messages: hello });
      expect(chat.status, chat.text).toBe(200);
      expect((await companies.as(ulla, 'POST', '/v1/chat/completions', { model: 'inner', messages: hello })).status).toBe(403);
      await companies.restart();
      expect(await status(name)).toBe(200);
      expect((await allow(chief, name, null)).status).toBe(200);
      expect(await status(name)).toBe(403);
    });

    it('is shown in explain, audit and ledger, where its caller is still counted', async () => {
      const name = await publish(ann);
      await allow(chief, name);
      const limit = { subject_type: 'user', subject: 'ulla', capability: 'model/inner', requests_per_minute: 1 };
      const { json: explained } = await companies.must(ulla, 'GET', `/api/explain?capability=skill/${name}`);
      expect(explained.runs_as).toMatchObject({ mode: 'skill' });
      // The list is for those who manage the skill, and nothing is for those who may not see it.
      expect(explained.runs_as.may_use).toBeUndefined();
      const { json: managed } = await companies.must(ann, 'GET', `/api/explain?capability=skill/${name}`);
      expect(managed.runs_as.may_use).toEqual(['model/inner']);
      const otherPerson: Person = { subject: 'sam', tenant: 'acme', roles: ['user'] };
      expect((await companies.must(otherPerson, 'GET', `/api/explain?capability=skill/${name}`)).json.runs_as).toBeUndefined();
      expect(explained.runs_as.on_behalf_of).toMatch(/ann$/);
      const { json: audit } = await companies.must(chief, 'GET', `/api/audit?target=skill/${name}&limit=1`);
      expect(audit.data[0].detail).toBe(`allow version 1.0.0 of skill ${name} to run with its own list`);
      await companies.must(chief, 'POST', '/api/limits', { name: 'once', spec: limit });
      expect(await status(name)).toBe(200);
      expect(await status(name)).toBe(429);
      await companies.must(chief, 'DELETE', '/api/limits/once');
      const runs = await eventually(
        async () => (await companies.must(ulla, 'GET', '/api/runs?capability=model/inner')).json.data as Record<string, unknown>[],
        (data) => data.some(({ outcome }) => outcome === 'complete'),
      );
      expect(runs[0]).toMatchObject({ subject: 'ulla' });
      expect(runs.every(({ on_behalf_of: of }) => String(of).endsWith('ann'))).toBe(true);
    });

    it('loses the allowance when its owner changes the live version, until that is allowed too', async () => {
      const name = await publish(ann);
      await allow(chief, name);
      await companies.must(ann, 'PUT', `/api/skills/${name}`, { spec: specOf({ version: '2.0.0', model: 'other' }) });
      // Callers still get the allowed version.
      expect(await status(name)).toBe(200);
      await companies.must(ann, 'POST', `/api/skills/${name}/publish`, {});
      expect(await status(name)).toBe(403);
      expect(await mode(name)).toBe('caller');
      expect((await allow(chief, name, '1.0.0')).status).toBe(400);
      await companies.must(ann, 'POST', `/api/skills/${name}/rollback`, { version: '1.0.0' });
      expect(await status(name)).toBe(200);
      await companies.must(ann, 'POST', `/api/skills/${name}/rollback`, { version: null });
      expect(await status(name)).toBe(403);
    });

    it('cannot be allowed by its owner, through any kind of write', async () => {
      const name = await publish(ann);
      await allow(chief, name);
      const { spec } = (await companies.must(ann, 'GET', `/api/skills/${name}`)).json as { spec: Record<string, unknown> };
      const forged = { ...(spec['runs_as_allowed'] as object), version: '2.0.0' };
      const put = await companies.as(ann, 'PUT', `/api/skills/${name}`, { spec: { ...spec, runs_as_allowed: forged } });
      expect(put).toMatchObject({ status: 403, json: { error: { param: 'spec.runs_as_allowed' } } });
      const copy = await companies.as(ann, 'POST', '/api/skills', { name: 'copied', spec: { ...spec, live: null } });
      expect(copy.status).toBe(403);
      // PUT accepts the answer of GET.
      expect((await companies.as(ann, 'PUT', `/api/skills/${name}`, { spec })).status).toBe(200);
      expect(await status(name)).toBe(200);
    });

    it('in the background ends when the allowance is revoked', async () => {
      await companies.must(chief, 'POST', '/api/models', { name: 'idle', spec: { deployments: [{ provider: 'silent', model: 'x' }] } });
      const name = await publish(ann, { model: 'idle' });
      await allow(chief, name);
      const started = await companies.as(ulla, 'POST', `/v1/skills/${name}/runs`, { input: { text: 'Hi' }, async: true });
      expect(started.status, started.text).toBe(202);
      const runView = async () => (await companies.as(ulla, 'GET', `/v1/runs/${started.json.id}`)).json as { status: string };
      await eventually(
        async () => vendor.requests.length,
        (count) => count > 0,
      );
      expect((await runView()).status).toBe('running');
      await allow(chief, name, null);
      const ended = await eventually(runView, ({ status: now }) => now !== 'running', 10_000);
      expect(JSON.stringify(ended)).toContain('may no longer run with its own list');
    });

    it('ends with the permission of the person who published it', async () => {
      const own: Person = { subject: 'olga', tenant: 'acme', roles: ['developer'] };
      await companies.must(own, 'GET', '/api/me');
      const name = await publish(own);
      await allow(chief, name);
      expect(await status(name)).toBe(200);
      const demoted: Person = { ...own, roles: ['user'] };
      await companies.must(demoted, 'GET', '/api/me');
      const refused = await run(name);
      expect(refused.status).toBe(403);
      expect(refused.text).toContain('olga');
    });

    it('ends while the person who published it is blocked', async () => {
      const name = await publish(ann);
      expect((await allow(chief, name)).status).toBe(200);
      expect(await status(name)).toBe(200);
      await companies.must(chief, 'POST', '/api/people/ann/block', {});
      expect(await status(name)).toBe(403);
      await companies.must(chief, 'POST', '/api/people/ann/unblock');
      expect(await status(name)).toBe(200);
    });

    it('reaches the tools that it names, and a new row of one of those names only after a new allowance', async () => {
      const options = {
        input_schema: { type: 'object' },
        steps: [{ id: 'a', use: 'mcp/files/say', with: { by: 'skill' } }],
      };
      const name = await publish(ann, { kind: 'pipeline', tools: ['mcp/files/say'], options });
      expect(await status(name)).toBe(403);
      await allow(chief, name);
      const worked = await run(name);
      expect(worked.status, worked.text).toBe(200);
      await companies.must(chief, 'DELETE', '/api/mcp-servers/files');
      const another = { name: 'files', spec: { kind: 'http', options: { url: tools.url } } };
      expect((await companies.as(ben, 'POST', '/api/mcp-servers', another)).text).toContain('reserved for administrators');
      await companies.must(chief, 'POST', '/api/mcp-servers', another);
      const before = tools.inputs.length;
      expect(await status(name)).toBe(403);
      expect(tools.inputs.length).toBe(before);
    });

    it('never uses the account of its caller', async () => {
      const options = { url: tools.url, sessions: 'user', credentials: { type: 'user_oauth' } };
      await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'personal', spec: { kind: 'http', options } });
      const name = await publish(chief, { tools: ['mcp/personal'] });
      await allow(chief, name);
      const refused = await run(name);
      expect(refused.status).toBe(403);
      expect(refused.text).toContain('works with the account or the token of its caller');
    });
  });
});
