/** Versions of skills: immutable once published, live by choice, pinned by name, rolled back immediately. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
const spec = (instructions: string, more: object = {}) => ({
  kind: 'prompt',
  description: 'd',
  model: 'scripted',
  options: { instructions },
  ...more,
});

beforeAll(async () => {
  gateway = owned.use(await startGateway());
  vendor = owned.use(await startVendor());
  vendor.behave((request, response) => answerOk(request, response, String(request.body.messages[0].content)));
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'scripted', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  await gateway.as('developer', 'POST', '/api/skills', { name: 'note', spec: spec('first') });
});
afterAll(() => owned.disposeAsync());

const post = (path: string, body: object, role: Role = 'developer') => gateway.as(role, 'POST', `/api/skills/note/${path}`, body);
const said = async (name = 'note', role: Role = 'developer') => {
  const { status, json } = await gateway.as(role, 'POST', `/v1/skills/${name}/runs`, { input: { text: 'x' } });
  return status === 200 ? `${json.output} ${json.version}` : status;
};

describe('a skill', () => {
  it('that is published is unchanged for its callers while its row is edited', async () => {
    expect(await said()).toBe('first 1.0.0');
    expect((await post('publish', {})).json.spec).toMatchObject({ live: '1.0.0' });
    const { live: _live, ...draft } = (await gateway.as('developer', 'GET', '/api/skills/note')).json.spec;
    // A change without `live` does not change the live version.
    const changed = await gateway.as('developer', 'PUT', '/api/skills/note', { spec: { ...draft, options: { instructions: 'second' } } });
    expect(changed.json.spec).toMatchObject({ live: '1.0.0', version: '1.0.0' });
    expect(await said()).toBe('first 1.0.0');
    expect(await said('note@draft')).toBe('second 1.0.0-draft');
    // Without a body as well.
    expect((await gateway.as('developer', 'POST', '/api/skills/note/publish')).status).toBe(409);
    const lower = await post('publish', { version: '0.9.0' });
    expect([lower.status, lower.json.error]).toMatchObject([
      400,
      { param: 'version', message: expect.stringContaining('roll back') as string },
    ]);
    expect((await post('publish', { version: '1.1.0' })).status).toBe(200);
    expect(await said()).toBe('second 1.1.0');
  });

  it('is pinned by its version, and rolled back at once', async () => {
    expect(await said('note@1.0.0')).toBe('first 1.0.0');
    const unknown = await gateway.as('developer', 'POST', '/v1/skills/note@9.0.0/runs', { input: { text: 'x' } });
    expect(unknown.json.error).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('no version "9.0.0"; there are 1.0.0, 1.1.0') as string,
    });
    expect((await post('rollback', { version: '9.0.0' })).status).toBe(404);
    expect((await post('rollback', { version: '1.0.0' })).status).toBe(200);
    expect(await said()).toBe('first 1.0.0');
    const chat = { model: 'skill/note@1.1.0', messages: [{ role: 'user', content: 'x' }] };
    expect((await gateway.as('developer', 'POST', '/v1/chat/completions', chat)).json.choices[0].message.content).toBe('second');
    const versions = await gateway.as('developer', 'GET', '/api/skills/note/versions');
    expect(versions.json.data.map((each: { version: string; live: boolean }) => [each.version, each.live])).toEqual([
      ['1.1.0', false],
      ['1.0.0', true],
    ]);
  });

  it('has immutable versions, is listed once, and is deleted with all versions', async () => {
    for (const name of ['note@1.0.0', 'note%401.0.0']) {
      expect((await gateway.as('admin', 'PUT', `/api/skills/${name}`, { spec: spec('evil') })).status, name).toBe(404);
      expect((await gateway.as('admin', 'DELETE', `/api/skills/${name}`)).status, name).toBe(404);
    }
    expect((await gateway.as('admin', 'POST', '/api/skills', { name: 'note@2.0.0', spec: spec('evil') })).status).toBe(400);
    expect((await gateway.as('developer', 'DELETE', '/api/skills/note/versions/1.0.0')).json.error.message).toContain('roll back');
    const names = (await gateway.as('developer', 'GET', '/v1/skills')).json.data.map((each: { name: string }) => each.name);
    expect(names.filter((name: string) => name.startsWith('note'))).toEqual(['note']);
    expect((await gateway.as('developer', 'DELETE', '/api/skills/note/versions/1.1.0')).status).toBe(204);
    expect(await said('note@1.1.0')).toBe(404);
    const wrong = (await gateway.as('developer', 'GET', '/api/skills/note')).json.spec;
    expect((await gateway.as('developer', 'PUT', '/api/skills/note', { spec: { ...wrong, live: '7.0.0' } })).json.error).toMatchObject({
      param: 'spec.live',
    });
  });

  it('has one set of rights for all its versions; a draft is for its editors', async () => {
    expect(await said('note@1.0.0', 'user')).toBe(403);
    const grant = { subject_type: 'role', subject: 'user', capability: 'skill/note', action: 'use' };
    await gateway.as('admin', 'POST', '/api/grants', { spec: grant });
    await gateway.as('admin', 'POST', '/api/grants', { spec: { ...grant, capability: 'model/scripted' } });
    expect(await said('note@1.0.0', 'user')).toBe('first 1.0.0');
    expect(await said('note@draft', 'user')).toBe(403);
    expect((await post('publish', { version: '3.0.0' }, 'user')).status).toBe(403);
  });

  it('stays in the version with which a run began', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    vendor.behave(async (request, response) => {
      await gate;
      answerOk(request, response, String(request.body.messages[0].content));
    });
    const running = said();
    await eventually(
      () => Promise.resolve(vendor.requests.at(-1)?.raw ?? ''),
      (raw) => raw.includes('first'),
    );
    expect((await post('rollback', { version: null })).status).toBe(200);
    release();
    expect(await running).toBe('first 1.0.0');
    expect(await said()).toBe('second 1.1.0');
    await gateway.as('developer', 'DELETE', '/api/skills/note');
    expect([await said(), await said('note@1.0.0'), await said('note@draft')]).toEqual([404, 404, 404]);
  });
});
