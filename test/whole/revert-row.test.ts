/** Undoing the change of one row: POST /api/config/rollback with `only`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
const spec = (description: string) => ({ description, deployments: [{ provider: 'demo', model: 'echo' }] });
const admin = (method: string, path: string, body?: unknown) => gateway.as('admin', method, path, body);
const descriptionOf = async (name: string): Promise<unknown> => (await admin('GET', `/api/models/${name}`)).json.spec?.description;

beforeAll(async () => {
  gateway = await startGateway();
  for (const name of ['mine', 'other']) await admin('POST', '/api/models', { name, spec: spec('first') });
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('undoing the change of one row', () => {
  it('restores this row alone, in a new revision', async () => {
    const before = (await admin('GET', '/api/models/mine')).json.revision as number;
    await admin('PUT', '/api/models/mine', { spec: spec('second') });
    await admin('PUT', '/api/models/other', { spec: spec('second') });
    const answer = await admin('POST', '/api/config/rollback', { revision: before, only: { kind: 'model', name: 'mine' } });
    expect(answer.json).toMatchObject({ changes: 1 });
    expect([await descriptionOf('mine'), await descriptionOf('other')]).toEqual(['first', 'second']);
    const [entry] = (await admin('GET', '/api/audit?target=model/mine&limit=1')).json.data;
    expect(entry).toMatchObject({ act: 'update', detail: `roll back model mine to revision ${before}` });
  });

  it('brings a deleted row back with the grants that were deleted with it, and no other', async () => {
    const grant = (capability: string) =>
      admin('POST', '/api/grants', { spec: { subject_type: 'role', subject: 'user', capability, action: 'use' } });
    const [own, foreign] = [(await grant('model/mine')).json.name as string, (await grant('model/other')).json.name as string];
    const ask = () => gateway.as('user', 'POST', '/v1/chat/completions', { model: 'mine', messages: [{ role: 'user', content: 'hi' }] });
    expect((await ask()).status).toBe(200);
    const before = Number((await admin('GET', '/api/config/revision')).json.revision);
    await admin('DELETE', `/api/grants/${foreign}`);
    await admin('DELETE', '/api/models/mine');
    expect((await ask()).status).toBe(404);
    await admin('POST', '/api/config/rollback', { revision: before, only: { kind: 'model', name: 'mine' } });
    expect((await eventually(ask, ({ status }) => status === 200)).status).toBe(200);
    expect((await admin('GET', `/api/grants/${own}`)).status).toBe(200);
    expect((await admin('GET', `/api/grants/${foreign}`)).status).toBe(404);
  });

  const revisionNow = async (): Promise<number> => Number((await admin('GET', '/api/config/revision')).json.revision);
  const undo = (revision: number, kind: string, name: string) => admin('POST', '/api/config/rollback', { revision, only: { kind, name } });
  const giveUser = (name: string, capability: string, action = 'use') =>
    admin('POST', '/api/grants', { name, spec: { subject_type: 'role', subject: 'user', capability, action } });

  it('leaves a grant revoked that was revoked before its row was deleted, and a later grant of its name as it is', async () => {
    await admin('POST', '/api/models', { name: 'third', spec: spec('first') });
    for (const [name, subject] of [
      ['revoked', 'user'],
      ['remade', 'viewer'],
      ['ended', 'developer'],
    ])
      await admin('POST', '/api/grants', { name, spec: { subject_type: 'role', subject, capability: 'model/third', action: 'use' } });
    const before = await revisionNow();
    await admin('DELETE', '/api/grants/revoked');
    await admin('DELETE', '/api/models/third');
    await giveUser('remade', 'model/other', 'view');
    expect((await undo(before, 'model', 'third')).json.changes).toBe(2);
    expect((await admin('GET', '/api/grants/revoked')).status).toBe(404);
    expect((await admin('GET', '/api/grants/ended')).json.spec.capability).toBe('model/third');
    expect((await admin('GET', '/api/grants/remade')).json.spec).toMatchObject({ capability: 'model/other', action: 'view' });
    const ask = () => gateway.as('user', 'POST', '/v1/chat/completions', { model: 'third', messages: [{ role: 'user', content: 'hi' }] });
    expect((await ask()).status).toBe(403);
  });

  it('brings a deleted skill back with the published versions that were deleted with it, and no other', async () => {
    const draft = { description: 'd', model: 'mine', options: { instructions: 'Say {{text}}' } };
    await admin('POST', '/api/skills', { name: 'say', spec: draft });
    await admin('POST', '/api/skills/say/publish', {});
    await admin('PATCH', '/api/skills/say', { spec: { version: '2.0.0' } });
    expect((await admin('POST', '/api/skills/say/publish', {})).status).toBe(200);
    const before = await revisionNow();
    expect((await admin('DELETE', '/api/skills/say/versions/1.0.0')).status).toBeLessThan(300);
    await admin('DELETE', '/api/skills/say');
    const answer = await undo(before, 'skill', 'say');
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"changes":2')]);
    expect((await admin('GET', '/api/skills/say')).json.spec.live).toBe('2.0.0');
    const versions = (await admin('GET', '/api/skills/say/versions')).json.data as { version: string }[];
    expect(versions.map(({ version }) => version)).toEqual(['2.0.0']);
  });

  it('says that no row of the name was there, instead of doing nothing', async () => {
    const refused = await undo(1, 'model', 'mime');
    expect([refused.status, refused.json.error.param]).toEqual([404, 'only.name']);
    expect(refused.json.error.message).toMatch(/no model named "mime"/);
  });

  it('changes nothing for a row that is already so, and names a kind that has no history', async () => {
    const { revision } = (await admin('GET', '/api/config/revision')).json;
    expect((await admin('POST', '/api/config/rollback', { revision, only: { kind: 'model', name: 'mine' } })).json.changes).toBe(0);
    const refused = await admin('POST', '/api/config/rollback', { revision, only: { kind: 'key', name: 'x' } });
    expect([refused.status, refused.json.error.param]).toEqual([400, 'only.kind']);
    const denied = await gateway.as('developer', 'POST', '/api/config/rollback', { revision, only: { kind: 'model', name: 'mine' } });
    expect(denied.status).toBe(403);
  });
});
