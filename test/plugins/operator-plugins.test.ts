/** A provider kind in one file of the operator's folder and one row: the example of docs/plugins.md itself is loaded and called. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, startGateway, startProcess } from '../whole/gateway.ts';
import { startVendor } from '../whole/vendor.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-plugins-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function example(): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '../../docs/plugins.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(page)?.[1];
  if (code === undefined) throw new Error('docs/plugins.md has no example');
  return code;
}

it('the example of the documentation is loaded from the folder and serves after one row', async () => {
  await writeFile(join(folder, 'acme.ts'), await example());
  await using vendor = await startVendor();
  await using gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess);
  const provider = await gateway.as('admin', 'POST', '/api/providers', {
    name: 'acme',
    spec: { kind: 'acme', options: { base_url: vendor.url, api_key: 'acme-secret' } },
  });
  expect(provider.status, provider.text).toBe(201);
  expect(provider.json.spec.options.api_key).toBe('***');
  await gateway.as('admin', 'POST', '/api/models', { name: 'acme-large', spec: { deployments: [{ provider: 'acme', model: 'large' }] } });
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'acme-large',
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(answer.status, answer.text).toBe(200);
  expect(vendor.requests.at(-1)?.headers['x-acme-key']).toBe('acme-secret');
  expect(vendor.requests.at(-1)?.body.model).toBe('large');
});

it('broken files are left out and the rest loads', async () => {
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

it('a skill that is not whole is told in the log by the field that it lacks', async () => {
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
  await expect
    .poll(() => output(), { timeout: 10_000 })
    .toContain('defineSkill: input must be a zod schema; \\"inputs\\" is no field of a skill');
});

it('a tool source that throws at once, and not by a promise, holds no turn', async () => {
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

it('a folder that is not there stops the start and names the variable', async () => {
  await expect(startGateway({ PAILOU_PLUGINS_DIR: join(folder, 'missing') }, startProcess)).rejects.toThrow(/PAILOU_PLUGINS_DIR/);
});
