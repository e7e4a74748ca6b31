/** The pages on skills: every command in order, and every example of every kind, as printed. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { node, runEnv, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

const owned = new AsyncDisposableStack();
const docs = join(import.meta.dirname, '../../docs');
let gateway: TestGateway;
let vendor: Vendor;
let folder: string;
let page: string;

const blocksIn = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block ?? '');

beforeAll(async () => {
  page = await readFile(join(docs, 'skills.md'), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'pailou-skills-'));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const [code] = blocksIn(page, 'ts');
  await writeFile(join(folder, 'greeting.ts'), code ?? '');
  gateway = owned.use(await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess));
  vendor = owned.use(await startVendor());
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  for (const name of ['small', 'large'])
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: name }] } });
});
afterAll(() => owned.disposeAsync());

/** Each command and the expected part of its output. */
interface Pasted {
  readonly command: string;
  readonly shown: string | null;
}

function pasted(text: string): Pasted[] {
  return blocksIn(text, 'sh').flatMap((block) =>
    block
      .split(/(?<=^# → .*\n)/m)
      .filter((part) => part.trim() !== '')
      .map((part) => ({ command: part.replace(/^# → .*\n/m, ''), shown: /^# → (.*)$/m.exec(part)?.[1] ?? null })),
  );
}

it('every command of the page prints the shown output', async () => {
  const steps = pasted(page);
  expect(steps.length).toBeGreaterThan(15);
  const pailou = `npx() { shift; "${node}" "${join(import.meta.dirname, '../../src/cli.ts')}" "$@"; }`;
  const script = steps.map(({ command }, index) => `echo; echo "=== ${index} ==="\n${command}`).join('\n');
  const env = { ...runEnv, HOME: folder, PAILOU_URL: gateway.url, ...gateway.env };
  const output = await new Promise<string>((resolve) => {
    execFile(
      'bash',
      ['-c', `${pailou}\n${script.replaceAll('http://127.0.0.1:8000', gateway.url)}`],
      { env, cwd: folder },
      (_error, out, bad) => resolve(out + bad),
    );
  });
  const parts = output.split(/=== \d+ ===\n/).slice(1);
  const wrong = steps.flatMap(({ command, shown }, index) =>
    shown === null || parts[index]?.includes(shown) === true ? [] : [`${command}should show\n${shown}\nbut shows\n${parts[index]}`],
  );
  expect(wrong.join('\n\n')).toBe('');
});

it('the skill in code answers', async () => {
  const spec = { kind: 'team-greeting', description: 'Greets a team.', model: 'small' };
  expect((await gateway.as('admin', 'POST', '/api/skills', { name: 'greeting', spec })).status).toBe(201);
  vendor.behave((request, response) => answerOk(request, response, 'Hello!'));
  const answer = await gateway.as('developer', 'POST', '/v1/skills/greeting/runs', { input: { names: ['Ann', 'Bob'] } });
  expect(answer.json).toMatchObject({ output: { greetings: ['Hello!', 'Hello!'] }, usage: { input_tokens: 10 } });
});

describe('the page of each kind', () => {
  it.each<[string, string | object, object | string]>([
    [
      'data-extraction',
      { records: [{ data: { number: '4711', total: 5.5 }, quotes: { number: 'Invoice 4711', total: 'Total: 5.50 EUR' } }] },
      { data: { number: '4711', total: 5.5 }, complete: true },
    ],
    [
      'doc-summary',
      { summary: 'Kurz.', key_points: [{ text: 'Lieferung', sections: [1] }] },
      { summary: 'Kurz.', key_points: [{ text: 'Lieferung', sources: ['Delivery'] }], sections: 2 },
    ],
    [
      'code-generation',
      { files: [{ path: 'src/add.ts', content: 'export const add = 1;\n' }], explanation: 'Adds.' },
      { checked: ['src/add.ts'] },
    ],
    ['translate', '# Hallo\n\nDas Tor antwortet.', '# Hallo\n\nDas Tor antwortet.'],
    ['classify', { labels: ['bug'], confidence: 0.9, reason: 'It crashes.' }, { labels: ['bug'] }],
  ])('%s: its row and its input work as printed, and it names every option', async (kind, said, output) => {
    const text = await readFile(join(docs, 'skills', `${kind}.md`), 'utf8');
    const [row, input] = blocksIn(text, 'json').map((block) => JSON.parse(block) as { name: string });
    const made = await gateway.as('admin', 'POST', '/api/skills', row);
    expect(made.status, made.text).toBe(201);
    vendor.behave((request, response) => answerOk(request, response, typeof said === 'string' ? said : JSON.stringify(said)));
    const answer = await gateway.as('admin', 'POST', `/v1/skills/${row?.name}/runs`, { input });
    expect(answer.status, answer.text).toBe(200);
    expect({ output: answer.json.output }).toMatchObject({ output });
    const schema = (await gateway.as('admin', 'GET', `/v1/skills/${row?.name}`)).json.input_schema as { properties: object };
    const { default: plugin } = (await import(`../../src/extensions/skills/${kind}.ts`)) as { default: { options: z.ZodObject } };
    const fields = [...Object.keys(schema.properties), ...Object.keys(plugin.options.shape)];
    expect(fields.filter((field) => !text.includes(`\`${field}\``))).toEqual([]);
  });
});
