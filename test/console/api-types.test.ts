/** The types that the console writes down for answers of the API are those of real answers. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { interfacesSeenBy, misfits, readInterfaces } from './written-types.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
  const messages = [{ role: 'user', content: 'Hello' }];
  await gateway.as('admin', 'POST', '/api/limits', {
    name: 'company',
    spec: { subject_type: 'tenant', unknown_price: 'allow', spend: { currency: 'USD', per_day: '5' } },
  });
  await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/demo/echo', action: 'use' },
  });
  await gateway.as('admin', 'POST', '/api/teams', { name: 'lab', spec: { role: 'developer' } });
  await gateway.as('admin', 'POST', '/api/keys', { title: 'Build', permissions: ['llm:model:use'] });
  await gateway.as('admin', 'POST', '/api/skills/demo-greeting/publish', { version: '1.0.0' });
  await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages });
  await eventually(
    () => gateway.as('admin', 'GET', '/api/runs'),
    ({ json }) => json.data.length > 0,
  );
});
afterAll(() => gateway[Symbol.asyncDispose]());

const page = (name: string): string => `console/src/pages/${name}`;
const answers: readonly (readonly [file: string, type: string, path: string, data: boolean])[] = [
  ['console/src/api/runs.ts', 'Run', '/api/runs', true],
  ['console/src/api/rows.ts', 'Row', '/api/models', true],
  ['console/src/api/rows.ts', 'Row', '/api/providers', true],
  ['console/src/api/rows.ts', 'Row', '/api/skills', true],
  ['console/src/api/rows.ts', 'Row', '/api/mcp-servers', true],
  ['console/src/api/series.ts', 'SeriesReport', '/api/reports/series?by=model', false],
  ['console/src/api/budgets.ts', 'BudgetReport', '/api/reports/budgets', false],
  ['console/src/api/kinds.ts', 'Kinds', '/api/kinds', false],
  [page('audit/entry-drawer.tsx'), 'AuditEntry', '/api/audit', true],
  [page('audit/verify-chain.tsx'), 'Verdict', '/api/audit/verify', false],
  [page('access/person-field.tsx'), 'Person', '/api/people', true],
  [page('access/grants-tab.tsx'), 'Row', '/api/grants', true],
  [page('access/token-tab.tsx'), 'Issuer', '/api/access/issuers', true],
  [page('access/matrix-tab.tsx'), 'Line', '/api/access/matrix?subject=user&allowed_only=true', true],
  [page('access/explain-tab.tsx'), 'Decision', '/api/explain?capability=model/demo/echo&action=use&as=admin', false],
  [page('configuration/page.tsx'), 'Problem', '/api/config/problems', true],
  [page('configuration/config-entry.ts'), 'ConfigEntry', '/api/config/history?order=newest', true],
  [page('health/page.tsx'), 'Deployment', '/api/health', false],
  [page('health/use-hours.ts'), 'FailedAttempts', '/api/reports/failed-attempts', false],
  [page('health/page.tsx'), 'Revisions', '/api/config/revision', false],
  [page('keys/key.ts'), 'ApiKey', '/api/keys', true],
  [page('access/team-members.tsx'), 'Member', '/api/teams/lab/members', true],
  [page('access/team-keys.tsx'), 'ServiceKey', '/api/keys', true],
  [page('settings/setting.ts'), 'Setting', '/api/settings', true],
  [page('skills/skill-api.ts'), 'SkillVersion', '/api/skills/demo-greeting/versions', true],
  [page('mcp/mcp-api.ts'), 'McpHealth', '/api/mcp-servers/demo/health', false],
  [page('models/model-prices.tsx'), 'ListedModel', '/v1/models', true],
];

it.each(answers)('%s: %s is what %s answers', async (file, type, path, isList) => {
  const { status, json, text } = await gateway.as('admin', 'GET', path);
  expect(status, text).toBe(200);
  const seen = interfacesSeenBy(file);
  expect([...seen.keys()], 'The interface was renamed or moved; name it here.').toContain(type);
  const values: readonly unknown[] = isList ? json.data : path === '/api/health' ? json.deployments : [json];
  expect([...new Set(values.flatMap((value) => misfits(value, type, seen)))]).toEqual([]);
});

it('a run with its attempts is what the waterfall reads', async () => {
  const { json } = await gateway.as('admin', 'GET', '/api/runs');
  const detail = await gateway.as('admin', 'GET', `/api/runs/${json.data[0].id}`);
  expect(misfits(detail.json, 'RunDetail', interfacesSeenBy('console/src/api/runs.ts'))).toEqual([]);
  expect(detail.json.attempts.length).toBe(1);
});

it('each path that these types are read from is in the description of the API', async () => {
  const { json } = await gateway.as('admin', 'GET', '/openapi.json');
  const paths = new Set(Object.keys(json.paths).map((path) => path.replaceAll(/\{[^}]*\}/g, '*')));
  const asked = answers.map(([, , path]) => path.replace(/\?.*$/, '').replace(/(skills|mcp-servers|teams)\/[^/]+/, '$1/*'));
  expect(asked.filter((path) => !paths.has(path))).toEqual([]);
});

it('a field that is missing or of another type is found', () => {
  const seen = readInterfaces(
    `interface Base {\n  readonly id: string;\n}\ninterface Thing extends Base {\n  /** One: two; */\n  readonly size: number | null;\n  readonly state: 'on' | 'off';\n  readonly parts?: readonly Base[];\n}`,
  );
  expect(misfits({ id: 'a', size: null, state: 'on', parts: [{ id: 'b' }], more: 1 }, 'Thing', seen)).toEqual([]);
  expect(misfits({ size: '3', state: 'gone', parts: [{}] }, 'Thing', seen)).toEqual([
    '.id: is missing',
    '.size: "3" is not number | null',
    `.state: "gone" is not 'on' | 'off'`,
    '.parts[].id: is missing',
  ]);
});
