/** Plugins in the operator's folder. Each example file of docs/plugins.md is loaded and called. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, startGateway, startProcess, type TestGateway } from '../whole/gateway.ts';
import { startVendor } from '../whole/vendor.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-plugins-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The example of docs/plugins.md with this file name. */
async function example(name = 'acme.ts'): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '../../docs/plugins.md'), 'utf8');
  const code = page.split(`Save this as \`${name}\`:`)[1]?.match(/^\s*```ts\n([\s\S]*?)```/)?.[1];
  if (code === undefined) throw new Error(`docs/plugins.md has no ${name}`);
  return code;
}

async function addAcme(gateway: TestGateway, url: string): Promise<void> {
  const spec = { kind: 'acme', options: { base_url: url, api_key: 'acme-secret' } };
  const provider = await gateway.as('admin', 'POST', '/api/providers', { name: 'acme', spec });
  expect(provider.status, provider.text).toBe(201);
  expect(provider.json.spec.options.api_key).toBe('***');
  const model = { name: 'acme-large', spec: { deployments: [{ provider: 'acme', model: 'large' }] } };
  expect((await gateway.as('admin', 'POST', '/api/models', model)).status).toBe(201);
}

it('the example of the documentation is loaded from the folder and serves with one row', async () => {
  await writeFile(join(folder, 'acme.ts'), await example());
  await using vendor = await startVendor();
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess);
  await addAcme(gateway, vendor.url);
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'acme-large',
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(answer.status, answer.text).toBe(200);
  expect(vendor.requests.at(-1)?.headers['x-acme-key']).toBe('acme-secret');
  expect(vendor.requests.at(-1)?.body.model).toBe('large');
});

it('the example format serves whole and streamed answers, and refuses a cut one', async () => {
  await writeFile(join(folder, 'acme-lines.ts'), await example('acme-lines.ts'));
  await writeFile(join(folder, 'acme.ts'), (await example()).replace("chat: 'openai'", "chat: 'acme-lines'"));
  await using vendor = await startVendor();
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess);
  await addAcme(gateway, vendor.url);
  const lines = '{"text":"Hello "}\n{"text":"牌楼"}\n';
  const ask = (stream: boolean) =>
    gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'acme-large', stream, messages: [{ role: 'user', content: 'Hi' }] });
  vendor.behave((_request, response) => void response.end(`${lines}{"done":true,"in":5,"out":2}`));
  const whole = await ask(false);
  expect(whole.json.choices?.[0].message.content, whole.text).toBe('Hello 牌楼');
  expect(whole.json.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 2 });
  expect(vendor.requests.at(-1)?.body).toEqual({ model: 'large', stream: false, messages: [{ role: 'user', text: 'Hi' }] });
  const streamed = await ask(true);
  expect(streamed.text).toContain('"content":"牌楼"');
  expect(streamed.text).toContain('data: [DONE]');
  vendor.behave((_request, response) => void response.end(lines));
  expect((await ask(false)).json.error?.code).toBe('upstream_interrupted');
});

it('the strategy of the documentation orders deployments by weight', async () => {
  await writeFile(join(folder, 'heaviest.ts'), await example('heaviest.ts'));
  await writeFile(join(folder, 'acme.ts'), await example());
  await using vendor = await startVendor();
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess);
  await addAcme(gateway, vendor.url);
  const deployments = [
    { provider: 'acme', model: 'light', weight: 1 },
    { provider: 'acme', model: 'heavy', weight: 9 },
  ];
  const made = await gateway.as('admin', 'POST', '/api/models', { name: 'ordered', spec: { strategy: 'heaviest', deployments } });
  expect(made.status, made.text).toBe(201);
  for (let count = 0; count < 5; count++) {
    const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'ordered',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(answer.status, answer.text).toBe(200);
  }
  expect(vendor.requests.map(({ body }) => body.model as string)).toEqual(['heavy', 'heavy', 'heavy', 'heavy', 'heavy']);
});

it('the skill and the tool source of the documentation are called by their rows', async () => {
  for (const name of ['greeting.ts', 'holidays.ts']) await writeFile(join(folder, name), await example(name));
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess);
  const page = await readFile(join(import.meta.dirname, '../../docs/plugins.md'), 'utf8');
  const bodyOf = (path: string) => JSON.parse(page.split(`\`POST ${path}\` and \``)[1]?.split('`')[0] ?? '') as object;
  for (const path of ['/api/skills', '/api/mcp-servers']) {
    const made = await gateway.as('admin', 'POST', path, bodyOf(path));
    expect(made.status, made.text).toBe(201);
  }
  const run = await gateway.as('admin', 'POST', '/v1/skills/greeting/runs', { input: { names: ['Ada', 'Li'] } });
  expect(run.json.output?.greetings, run.text).toHaveLength(2);
  const tools = async () => (await gateway.as('admin', 'POST', '/api/mcp-servers/holidays/sync')).json.tools as number;
  await eventually(tools, (count) => count === 1);
  const call = async (day: string) => {
    const params = { name: 'lookup', arguments: { day } };
    const headers = { accept: 'application/json, text/event-stream' };
    return (await gateway.as('admin', 'POST', '/mcp/holidays', { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers)).text;
  };
  expect(await call('2027-01-01')).toContain('New Year');
  expect(await call('2027-01-02')).toContain('"isError":true');
});

it('invalid files are skipped and the rest is loaded', async () => {
  await writeFile(join(folder, 'good.ts'), (await example()).replace("kind: 'acme'", "kind: 'good'"));
  await writeFile(join(folder, 'syntax.ts'), 'export default {{{');
  await writeFile(join(folder, 'nothing.ts'), 'export const x = 1;');
  await writeFile(join(folder, 'throws.ts'), "throw new Error('no');");
  await writeFile(join(folder, 'taken.ts'), (await example()).replace("kind: 'acme'", "kind: 'openai'"));
  await mkdir(join(folder, 'elsewhere'));
  const outside = await mkdtemp(join(tmpdir(), 'pailou-outside-'));
  await writeFile(join(outside, 'evil.ts'), (await example()).replace("kind: 'acme'", "kind: 'evil'"));
  await symlink(join(outside, 'evil.ts'), join(folder, 'evil.ts'));
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder, PAILOU_LOG_LEVEL: 'silent' }, startProcess);
  const make = (kind: string) => gateway.as('admin', 'POST', '/api/providers', { name: kind, spec: { kind, options: { api_key: 'k' } } });
  expect((await make('good')).status).toBe(201);
  const evil = await make('evil');
  expect(evil.status).toBe(400);
  expect(evil.json.error.param).toBe('spec.kind');
  await rm(outside, { recursive: true, force: true });
});

it('an incomplete skill is logged with the name of the missing field', async () => {
  await writeFile(
    join(folder, 'slip.ts'),
    "import { z } from 'zod';\nimport { defineSkill } from 'pailou/plugin';\nexport default defineSkill({ kind: 'slip', title: 'Slip', inputs: z.object({}), run: async () => '' });",
  );
  let output = (): string => '';
  await using _gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder, PAILOU_LOG_LEVEL: 'error' }, async (...given) => {
    const started = await startProcess(...given);
    ({ output } = started);
    return started;
  });
  await expect.poll(() => output()).toContain('defineSkill: input must be a zod schema; \\"inputs\\" is not a field of a skill');
});

it('a tool source that throws synchronously releases its place', async () => {
  await writeFile(
    join(folder, 'hasty.ts'),
    `import { z } from 'zod';
import { definePlugin } from 'pailou/plugin';
export default definePlugin({
  type: 'tool-source', kind: 'hasty', title: 'Hasty', options: z.strictObject({}),
  create: () => ({
    list: async () => ({ tools: [{ name: 'go', description: 'Goes.', inputSchema: { type: 'object' } }], prompts: [], resources: [], templates: [] }),
    call() { throw new Error('at once'); },
    onChange: () => () => {},
    [Symbol.asyncDispose]: async () => {},
  }),
} as never);`,
  );
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder, PAILOU_LOG_LEVEL: 'silent' }, startProcess);
  const spec = { kind: 'hasty', options: {}, concurrency: 1, call_timeout_ms: 2_000 };
  const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'hasty', spec });
  expect(made.status, made.text).toBe(201);
  const synced = async () => (await gateway.as('admin', 'POST', '/api/mcp-servers/hasty/sync')).json.tools as number;
  await eventually(synced, (count) => count === 1);
  const skill = {
    kind: 'pipeline',
    description: 'Goes.',
    model: 'demo/echo',
    tools: ['mcp/hasty/go'],
    options: { steps: [{ id: 'one', use: 'mcp/hasty/go', with: {} }] },
  };
  const row = await gateway.as('admin', 'POST', '/api/skills', { name: 'going', spec: skill });
  expect(row.status, row.text).toBe(201);
  for (let count = 0; count < 2; count++) {
    const answer = await gateway.as('developer', 'POST', '/v1/skills/going/runs', { input: { text: 'go' } });
    expect(answer.json.error?.code, answer.text).toBe('internal_error');
  }
});

it('a missing folder stops the start and names the variable', async () => {
  await expect(startGateway({ PAILOU_PLUGINS_DIR: join(folder, 'missing') }, startProcess)).rejects.toThrow(/PAILOU_PLUGINS_DIR/);
});
