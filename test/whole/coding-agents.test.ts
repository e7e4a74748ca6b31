/**
 * The real command lines of Claude Code and Codex, by exactly the lines of the page Connect: each edits a file, and its calls are those of the
 * person whose key it has. `.ci/run` installs pinned versions and names their programs by two variables.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients } from '../../console/src/pages/connect/clients.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

interface OfferedTool {
  readonly function: { readonly name: string; readonly parameters: { readonly properties?: Record<string, { readonly type?: unknown }> } };
}

const programs = { claude: process.env['PAILOU_TEST_CLAUDE'], codex: process.env['PAILOU_TEST_CODEX'] };
const run = promisify(execFile);
const written = 'written by the agent';
const prompt = 'Write the note into note.txt.';
/** A program that hangs is a failure; the limit measures no machine. */
const patienceMs = 150_000;

let gateway: TestGateway;
let vendor: Vendor;
let home: string;
let project: string;
let key: string;
/** Each agent has a model of its own. */
let model: string;

const toolCall = (name: string, input: object): string => {
  const chunk = (delta: object, reason: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  const call = { index: 0, id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify(input) } };
  return `${chunk({ role: 'assistant', tool_calls: [call] })}${chunk({}, 'tool_calls')}data: [DONE]\n\n`;
};

/** The vendor's model writes the file by the first of these tools that it is offered, then ends. */
function writeBy(tools: Readonly<Record<string, (offered: OfferedTool) => object>>): void {
  vendor.behave((request: VendorRequest, response) => {
    const { tools: all = [], messages = [] } = request.body as { tools?: OfferedTool[]; messages?: { role: string }[] };
    const offered = all.find(({ function: { name } }) => Object.hasOwn(tools, name));
    if (offered === undefined || messages.some(({ role }) => role === 'tool')) return answerOk(request, response, 'The note is written.');
    const input = tools[offered.function.name]?.(offered) ?? {};
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(toolCall(offered.function.name, input));
  });
}

const linesOf = (id: string): string => clients.find((each) => each.id === id)?.lines({ address: gateway.url, model }) ?? '';

/** Runs the lines of a shell with only this environment; rejects with all output when they fail. */
async function shell(lines: string, program: string): Promise<string> {
  const bin = join(home, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(program, join(bin, lines.includes('codex') ? 'codex' : 'claude'));
  const { stdout } = await run('bash', ['-ec', lines], {
    cwd: project,
    timeout: patienceMs,
    maxBuffer: 16 * 1024 * 1024,
    env: {
      PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      PAILOU_TOKEN: key,
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
  });
  return stdout;
}

/** The calls in the ledger, by whom and with which key. */
const callsOfModel = async (): Promise<{ subject: string; key: string; operation: string; outcome: string }[]> =>
  (
    await eventually(
      () => gateway.as('developer', 'GET', `/api/runs?model=${model}`),
      ({ json }) => json.data.length >= 2,
    )
  ).json.data;

describe('the command lines of coding agents, by the lines of Connect', () => {
  let keyId: string;

  beforeAll(async () => {
    [gateway, vendor] = await Promise.all([startGateway(), startVendor()]);
    await gateway.as('admin', 'POST', '/api/providers', {
      name: 'v',
      spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
  });

  const prepare = async (agent: string): Promise<AsyncDisposable> => {
    model = agent;
    home = await mkdtemp(join(tmpdir(), 'pailou-agent-'));
    project = join(home, 'project');
    await mkdir(project);
    await gateway.as('admin', 'POST', '/api/models', { name: model, spec: { deployments: [{ provider: 'v', model: 'm' }] } });
    const made = (await gateway.as('developer', 'POST', '/api/keys', { title: 'laptop', permissions: ['llm:model:use'] })).json;
    ({ id: keyId, key } = made as { id: string; key: string });
    return { [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) };
  };

  it.skipIf(programs.claude === undefined)('Claude Code edits a file, and its calls are those of the person', async () => {
    await using _folder = await prepare('for-claude');
    const path = join(project, 'note.txt');
    writeBy({ Write: () => ({ file_path: path, content: written }) });
    const out = await shell(`${linesOf('claude-code')} -p '${prompt}' --allowedTools Write`, programs.claude ?? '');
    expect(out).toContain('The note is written.');
    expect(await readFile(path, 'utf8')).toBe(written);
    const calls = await callsOfModel();
    expect(new Set(calls.map((each) => `${each.subject} ${each.key} ${each.outcome}`))).toEqual(new Set([`developer ${keyId} complete`]));
  });

  it.skipIf(programs.codex === undefined)('Codex edits a file, and its calls are those of the person', async () => {
    await using _folder = await prepare('for-codex');
    const path = join(project, 'note.txt');
    const command = `printf '${written}' > note.txt`;
    writeBy({
      exec_command: () => ({ cmd: command }),
      shell_command: () => ({ command }),
      shell: () => ({ command: ['bash', '-c', command] }),
    });
    await mkdir(join(home, '.codex'));
    await writeFile(join(home, '.codex/config.toml'), linesOf('codex'));
    const out = await shell(
      `codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox '${prompt}' < /dev/null`,
      programs.codex ?? '',
    );
    expect(out).toContain('The note is written.');
    expect(await readFile(path, 'utf8')).toBe(written);
    const calls = await callsOfModel();
    expect(new Set(calls.map((each) => `${each.subject} ${each.key} ${each.outcome}`))).toEqual(new Set([`developer ${keyId} complete`]));
  });
});
