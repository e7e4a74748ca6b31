/** Lists of the control API: the filters of runs, and query names that do not exist. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const chat = (role: 'user' | 'developer', id: string, model = 'demo/echo') =>
  gateway.as(role, 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] }, { 'x-request-id': id });
const runs = async (query: string, role: 'admin' | 'user' = 'admin') => (await gateway.as(role, 'GET', `/api/runs?${query}`)).json;

it('finds runs by request id, person, model, outcome, error and time', async () => {
  const before = new Date().toISOString();
  await chat('user', 'list-1');
  await chat('developer', 'list-2', 'demo/tools');
  await eventually(
    () => runs('limit=500'),
    ({ data }) => data.length >= 2,
  );
  const [one] = (await runs('request_id=list-1')).data;
  expect(one).toMatchObject({ request_id: 'list-1', capability: 'model/demo/echo', outcome: 'complete' });
  const ids = async (query: string, role: 'admin' | 'user' = 'admin') =>
    (await runs(query, role)).data.map((run: { request_id: string }) => run.request_id);
  expect(await ids('user=developer')).toEqual(['list-2']);
  expect(await ids('model=demo/echo')).toEqual(['list-1']);
  expect(await ids('capability=model/demo/tools')).toEqual(['list-2']);
  expect(await ids('outcome=error')).toEqual([]);
  expect(await ids('error=upstream_error')).toEqual([]);
  expect(await ids(`outcome=complete&from=${before}`)).toEqual(['list-2', 'list-1']);
  expect(await ids(`to=${before}`)).toEqual([]);
  // Others see their own, whatever they ask for.
  expect(await ids('', 'user')).toEqual(['list-1']);
  expect(await ids('request_id=list-2', 'user')).toEqual([]);
  expect((await gateway.as('user', 'GET', '/api/runs?user=developer')).status).toBe(403);
});

it('names the filter of runs that is wrong', async () => {
  for (const [query, param] of [
    ['outcome=failed', 'outcome'],
    ['from=yesterday', 'from'],
    ['from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ['model=a&capability=model/b', 'model'],
    ['limit=0', 'limit'],
  ]) {
    const { status, json } = await gateway.as('admin', 'GET', `/api/runs?${query}`);
    expect([query, status, json.error.param]).toEqual([query, 400, expect.stringContaining(param ?? '')]);
  }
});

it('refuses a query name that an address does not have, on every GET of the control API', async () => {
  const document = (await gateway.as('admin', 'GET', '/openapi.json')).json;
  const lax: string[] = [];
  for (const [path, verbs] of Object.entries<Record<string, unknown>>(document.paths)) {
    if (!/^\/(api|v1\/skills)/.test(path) || verbs['get'] === undefined) continue;
    // The answer of another service: it may hold members of its own.
    if (path.endsWith('/account/callback')) continue;
    const address = path.replaceAll(/\{[^}]+\}/g, 'demo');
    const { status, json } = await gateway.as('admin', 'GET', `${address}?no_such_name=x`);
    if (status !== 400 || json.error.param !== 'no_such_name') lax.push(`${path}: ${status}`);
  }
  expect(lax).toEqual([]);
});

it('says which names there are, and which was meant', async () => {
  const { json } = await gateway.as('admin', 'GET', '/api/runs?requestid=x');
  expect(json.error.message).toMatch(
    /^requestid: is not a query name here\. Did you mean "request_id"\? It takes after, limit, request_id, /,
  );
  const { json: grants } = await gateway.as('admin', 'GET', '/api/grants?person=u');
  expect(grants.error).toMatchObject({ param: 'person', code: 'invalid_request' });
});
