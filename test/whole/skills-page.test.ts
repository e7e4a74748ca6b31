/** The examples of docs/skills.md, as they stand there: a newcomer gets what the page promises. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
let page: string;
const block = (language: string, holding: string): string => {
  const found = [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)].find(
    ([, kind, text]) => kind === language && text?.includes(holding) === true,
  )?.[2];
  if (found === undefined) throw new Error(`docs/skills.md has no ${language} with ${holding}`);
  return found;
};

beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, '../../docs/skills.md'), 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'pailou-skills-'));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'greeting.ts'), block('ts', 'defineSkill'));
  gateway = owned.use(await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess));
  vendor = owned.use(await startVendor());
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'small', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
}, 30_000);
afterAll(() => owned.disposeAsync());

const run = (name: string, input: unknown) => gateway.as('developer', 'POST', `/v1/skills/${name}/runs`, { input });

it('a prompt', async () => {
  expect((await gateway.as('admin', 'POST', '/api/skills', JSON.parse(block('json', '"city"')))).status).toBe(201);
  expect((await run('city', { city: 'Suzhou' })).json.output).toBe('ok');
});

it('a pipeline', async () => {
  const made = await gateway.as('admin', 'POST', '/api/skills', { name: 'letters', spec: JSON.parse(block('json', '"pipeline"')) });
  expect(made.status, made.text).toBe(201);
  vendor.behave((request, response) =>
    answerOk(request, response, request.body.response_format === undefined ? 'Dear customer' : '{"kind":"complaint"}'),
  );
  const { output } = (await run('letters', { letters: ['a', 'b'] })).json;
  expect(output).toMatchObject({
    kinds: [{ kind: 'complaint' }, { kind: 'complaint' }],
    answer: 'Dear customer',
    when: expect.stringContaining('20') as string,
  });
});

it('code', async () => {
  const spec = { kind: 'team-greeting', description: 'Greets a team.', model: 'small' };
  expect((await gateway.as('admin', 'POST', '/api/skills', { name: 'greeting', spec })).status).toBe(201);
  vendor.behave((request, response) => answerOk(request, response, 'Hello!'));
  const answer = await run('greeting', { names: ['Ann', 'Bob'] });
  expect(answer.json).toMatchObject({ output: { greetings: ['Hello!', 'Hello!'] }, usage: { input_tokens: 10 } });
  expect((await run('greeting', { names: [] })).json.error).toMatchObject({ code: 'invalid_request', param: 'input.names' });
  expect((await gateway.as('user', 'POST', '/v1/skills/greeting/runs', { input: { names: ['x'] } })).status).toBe(403);
});

it('each kind that comes with Pailou is a row of a description and a model', async () => {
  for (const kind of ['data-extraction', 'doc-summary', 'code-generation', 'translate', 'classify']) {
    const made = await gateway.as('admin', 'POST', '/api/skills', { name: kind, spec: { kind, description: 'd', model: 'small' } });
    expect(made.status, `${kind}: ${made.text}`).toBe(201);
    expect(page).toContain(`| \`${kind}\` |`);
  }
  vendor.behave((request, response) => answerOk(request, response, '{"labels":["bug"],"confidence":1,"reason":"r"}'));
  expect((await run('classify', { text: 'It crashes.', labels: ['bug', 'wish'] })).json.output.labels).toEqual(['bug']);
});
