/** Commands with --json: one JSON value on standard output, and errors and notes as JSON lines on standard error. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { node, runEnv, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let folder: string;
let token: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-json-'));
  gateway = await startGateway();
  token = await gateway.token('admin');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly bad: string;
}

function pailou(args: readonly string[], more: Record<string, string> = {}): Promise<Ended> {
  const program = join(import.meta.dirname, '../../src/cli.ts');
  const key = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 7) % 256)).toString('base64');
  const own = { PAILOU_URL: gateway.url, PAILOU_TOKEN: token, PAILOU_DATA_DIR: join(folder, 'data'), PAILOU_MASTER_KEY: key };
  return new Promise((resolve) => {
    execFile(node, [program, ...args], { env: { ...runEnv, ...own, ...more }, timeout: 180_000 }, (error, out, bad) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, bad }),
    );
  });
}

const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

it('a wrong use of any command is one JSON error and the exit code 2', async () => {
  const help = await pailou(['--help']);
  const names = [...help.out.matchAll(/^ {2}([a-z-]+) +[A-Z]/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(20);
  for (const name of [...names, 'no-such-command']) {
    const { code, out, bad } = await pailou([name, '--json', '--no-such-option']);
    expect({ name, code, out, errors: linesOf(bad) }).toEqual({
      name,
      code: 2,
      out: '',
      errors: [{ error: { code: 'usage', message: expect.stringMatching(/^\S.*/) } }],
    });
  }
}, 240_000);

it('an error of the gateway, of a file and of settings keeps its code and its field', async () => {
  const refusals: [string[], Record<string, string>, number, Record<string, unknown>][] = [
    [['models', 'get', 'none'], {}, 1, { code: 'not_found', request_id: expect.any(String) }],
    [['providers', 'add', 'x', '--kind', 'openai'], {}, 1, { code: 'configuration_invalid', param: 'spec.options.api_key' }],
    [['runs', '--outcome', 'wrong'], {}, 1, { param: 'outcome', message: expect.stringMatching(/^outcome \(query parameter\): /) }],
    [['usage', '--by', 'day,wrong'], {}, 1, { param: 'by', message: expect.stringMatching(/^by \(query parameter\): /) }],
    [['completion', 'bash'], {}, 2, { code: 'usage' }],
    [['chat', 'none', 'x'], {}, 1, { code: 'model_not_found' }],
    [['status'], { PAILOU_TOKEN: 'wrong' }, 1, { code: 'token_invalid' }],
    [['status'], { PAILOU_TOKEN: '' }, 2, { code: 'usage' }],
    [['status'], { PAILOU_URL: 'http://127.0.0.1:9' }, 1, { code: 'gateway_unreachable' }],
    [['providers', 'add', 'x', '@no-such-file'], {}, 1, { code: 'file_unusable' }],
    [['import', 'litellm', 'no-such-file'], {}, 1, { code: 'file_invalid' }],
    [['apply', '-f', 'no-such-file'], {}, 1, { code: 'file_invalid' }],
    [['migrate'], { PAILOU_MODE: 'wrong' }, 2, { code: 'settings_invalid' }],
    [['skills', 'export', 'none-such'], {}, 1, { code: 'not_found' }],
    [['restore', folder], {}, 1, { code: 'invalid_request' }],
  ];
  for (const [args, env, code, error] of refusals) {
    const ended = await pailou([...args, '--json'], env);
    expect({ args, code: ended.code, out: ended.out, bad: linesOf(ended.bad) }).toEqual({
      args,
      code,
      out: '',
      bad: [{ error: expect.objectContaining({ message: expect.any(String), ...error }) }],
    });
  }
}, 240_000);

it('what a command prints is one JSON value', async () => {
  const expected: [string[], unknown][] = [
    [['migrate'], { applied: expect.arrayContaining(['0001-first-tables']) }],
    [['migrate'], { applied: [] }],
    [['audit', 'verify'], expect.objectContaining({ ok: true, fault: '' })],
    [['keys', 'rotate-master'], { key: expect.any(String), values: 0, changed: 0, old: 0, unknown: {}, damaged: [] }],
    [['keys', 'rotate-master', '--check'], expect.objectContaining({ values: 0 })],
    [['backup', join(folder, 'one')], expect.objectContaining({ database: 'sqlite' })],
    [['restore', join(folder, 'one'), '--replace'], expect.objectContaining({ moved: expect.any(Array) })],
    [['permissions', 'sql', '--layout', 'sas', '--dialect', 'mysql'], { sql: expect.stringContaining('llm:model:use') }],
    [['prune', '--dry-run'], expect.objectContaining({ expired: expect.any(Array) })],
    [['keys', 'add', 'mine'], expect.objectContaining({ key: expect.stringMatching(/^pailou_/) })],
    [['usage'], expect.objectContaining({ data: expect.any(Array) })],
  ];
  for (const [args, value] of expected) {
    const { code, out, bad } = await pailou([...args, '--json']);
    expect({ args, code, out: JSON.parse(out) as unknown, bad }).toEqual({ args, code: 0, out: value, bad: '' });
  }
}, 240_000);

it('control characters of an answer stay valid JSON and do not reach the terminal', async () => {
  const marks = 'a\u009bb\u007fc\u0085d';
  const { out } = await pailou(['chat', 'demo/echo', marks, '--json']);
  expect(out).not.toMatch(/[^\P{Cc}\n]/u);
  expect((JSON.parse(out) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).toContain(marks);
});
