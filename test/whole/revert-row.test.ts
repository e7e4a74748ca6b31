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

  it('changes nothing for a row that is already so, and names a kind that has no history', async () => {
    const { revision } = (await admin('GET', '/api/config/revision')).json;
    expect((await admin('POST', '/api/config/rollback', { revision, only: { kind: 'model', name: 'mine' } })).json.changes).toBe(0);
    const refused = await admin('POST', '/api/config/rollback', { revision, only: { kind: 'key', name: 'x' } });
    expect([refused.status, refused.json.error.param]).toEqual([400, 'only.kind']);
    const denied = await gateway.as('developer', 'POST', '/api/config/rollback', { revision, only: { kind: 'model', name: 'mine' } });
    expect(denied.status).toBe(403);
  });
});
