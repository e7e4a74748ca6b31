/** A row can start only complete command lines that the operator allows for its tenant. */
import { DatabaseSync } from 'node:sqlite';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/config/settings.ts';
import { chiefOf, type Companies, startCompanies } from './companies.ts';
import { eventually, startProcess } from './gateway.ts';

const chief = chiefOf('acme');
const rival = chiefOf('rival');
const everything = join(import.meta.dirname, '../node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const owned = new AsyncDisposableStack();
let companies: Companies;

const programs = {
  everything: {
    command: 'node',
    args: [everything, 'stdio', 'mark-{mark}'],
    parameters: { mark: { default: 'none' } },
    env: ['GIVEN'],
    tenants: ['acme'],
  },
};

beforeAll(async () => {
  companies = owned.use(await startCompanies({ PAILOU_STDIO_PROGRAMS: JSON.stringify(programs) }));
});
afterAll(() => owned.disposeAsync());

const row = (options: object) => ({ kind: 'stdio', options });
const make = (name: string, options: object, who = chief) => companies.as(who, 'POST', '/api/mcp-servers', { name, spec: row(options) });
const call = async (server: string, tool: string, input: object = {}): Promise<string> =>
  (
    await companies.as(
      chief,
      'POST',
      `/mcp/${server}`,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: input } },
      { accept: 'application/json, text/event-stream' },
    )
  ).text;

describe('an MCP server that starts a program', () => {
  it('can name an allowed one, with declared parameters and variables only', async () => {
    const made = await make('named', { program: 'everything', parameters: { mark: 'one' }, env: { GIVEN: 'yes' } });
    expect(made.status, made.text).toBe(201);
    expect(await call('named', 'get-env')).toContain('GIVEN');
    for (const [options, param] of [
      [{ program: 'sh' }, 'spec.options.program'],
      [{ program: 'everything', parameters: { eval: 'x' } }, 'spec.options.parameters.eval'],
      [{ program: 'everything', parameters: { mark: '../x' } }, 'spec.options.parameters.mark'],
      [{ program: 'everything', args: ['-e', '1'] }, 'spec.options.args'],
      [{ program: 'everything', cwd: '/tmp' }, 'spec.options.cwd'],
      [{ program: 'everything', env: { NODE_OPTIONS: '--inspect' } }, 'spec.options.env.NODE_OPTIONS'],
      [{ program: 'everything', command: 'node' }, 'spec.options.program'],
      [{ command: 'node', args: ['-e', 'process.exit()'] }, 'spec.options.command'],
      [{ command: 'node', args: [everything, 'stdio', 'mark-x', '-e'] }, 'spec.options.command'],
    ] as const) {
      const refused = await make('refused', options);
      expect(refused.status, `${JSON.stringify(options)} ${refused.text}`).toBe(400);
      expect(refused.json.error.param).toBe(param);
      expect((await companies.as(chief, 'POST', '/api/mcp-servers/test', { spec: row(options) })).status).toBe(400);
    }
  });

  it('may contain the full command line when it equals an allowed one', async () => {
    expect((await make('written', { command: 'node', args: [everything, 'stdio', 'mark-two'] })).status).toBe(201);
    expect(await call('written', 'echo', { message: 'hello' })).toContain('hello');
  });

  it('of a tenant to which the program is not allowed is refused, with the line that the operator can add', async () => {
    for (const options of [{ program: 'everything' }, { command: 'node', args: [everything, 'stdio', 'mark-none'] }]) {
      const refused = await make('foreign', options, rival);
      expect(refused.status, refused.text).toBe(400);
      expect(refused.json.error.message).toContain('PAILOU_STDIO_PROGRAMS');
    }
    const written = await make('foreign', { command: 'node', args: ['/opt/x.js'] }, rival);
    expect(written.json.error.message).toContain('{"name":{"command":"node","args":["/opt/x.js"],"tenants":["rival"]}}');
  });

  it('with a command of the former form keeps working when the line is allowed, else it is left out with the line to add', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-programs-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const line = { command: 'node', args: [everything, 'stdio', 'mark-old'] };
    {
      await using first = await startCompanies({ PAILOU_DATA_DIR: dataDir, PAILOU_STDIO_PROGRAMS: JSON.stringify(programs) });
      for (const name of ['stays', 'goes']) await first.must(chief, 'POST', '/api/mcp-servers', { name, spec: row(line) });
    }
    const database = new DatabaseSync(join(dataDir, 'pailou.db'));
    const spec = JSON.stringify({ kind: 'stdio', options: { command: 'node', args: ['-e', 'process.exit()'] } });
    database.prepare(`update llm_mcp_config set spec = ?, revision = revision + 100 where name = 'goes'`).run(spec);
    database.close();
    await using again = await startCompanies({ PAILOU_DATA_DIR: dataDir, PAILOU_STDIO_PROGRAMS: JSON.stringify(programs) });
    const { data } = (await again.must(chief, 'GET', '/api/config/problems')).json as { data: { name: string; message: string }[] };
    expect(data.map(({ name }) => name)).toEqual(['goes']);
    expect(data[0]?.message).toContain('"args":["-e","process.exit()"],"tenants":["acme"]');
  });
});

describe('the settings', () => {
  it('of the former form report their replacement', () => {
    expect(() => readSettings({ PAILOU_STDIO_COMMANDS: 'node' })).toThrow(/was replaced by PAILOU_STDIO_PROGRAMS/);
  });

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['a file that is not there', '/nowhere/programs.json', 'cannot be read'],
    ['no tenants', '{"x":{"command":"node"}}', 'tenants'],
    ['a parameter that is not declared', '{"x":{"command":"node","args":["{a}"],"tenants":"*"}}', '{a} stands in args'],
    ['a parameter that nothing uses', '{"x":{"command":"node","parameters":{"a":{}},"tenants":"*"}}', 'stands in none of args'],
    [
      'a pattern that is none',
      '{"x":{"command":"node","args":["{a}"],"parameters":{"a":{"pattern":"("}},"tenants":"*"}}',
      'regular expression',
    ],
  ])('with %s stop the start', (_what, text, why) => {
    expect(() => readSettings({ PAILOU_STDIO_PROGRAMS: text })).toThrow(why);
  });

  it('are read from a file too', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'pailou-programs-')), 'programs.json');
    await writeFile(file, JSON.stringify(programs));
    expect(readSettings({ PAILOU_STDIO_PROGRAMS: file }).stdioPrograms[0]).toMatchObject({ name: 'everything', tenants: ['acme'] });
  });
});

describe.skipIf(process.platform !== 'linux')('the process of the gateway', () => {
  const canary = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';

  it('has no master key in its environment, which child processes could read, and can decrypt sealed values', async () => {
    let pid = 0;
    await using secret = await startCompanies(
      { PAILOU_MASTER_KEY: canary, PAILOU_STDIO_PROGRAMS: JSON.stringify(programs) },
      async (env) => {
        const gateway = await startProcess(env);
        ({ pid } = gateway);
        return gateway;
      },
    );
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
    expect(environment).toContain('PAILOU_PORT=');
    expect(environment).not.toContain(canary);
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'latin1');
    expect(commandLine).not.toContain(canary);
    await secret.must(chief, 'POST', '/api/providers', { name: 'sealed', spec: { kind: 'openai', options: { api_key: 'k-canary' } } });
    await secret.must(chief, 'POST', '/api/mcp-servers', { name: 'seen', spec: row({ program: 'everything' }) });
    await eventually(
      async () => (await secret.must(chief, 'POST', '/api/mcp-servers/seen/sync')).json.tools as number,
      (count) => count > 0,
    );
    const seen = await secret.as(
      chief,
      'POST',
      '/mcp/seen',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get-env', arguments: {} } },
      { accept: 'application/json, text/event-stream' },
    );
    expect(seen.text).toContain('PATH');
    expect(seen.text).not.toContain('PAILOU_');
  });
});
