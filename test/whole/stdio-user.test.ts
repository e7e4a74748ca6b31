/** Programs of MCP servers run as the system user of PAILOU_STDIO_USER, who can neither read the gateway's secrets nor become root. */
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/config/settings.ts';
import { startGateway, type TestGateway } from './gateway.ts';

const isRoot = process.getuid?.() === 0;
const [uid, gid] = [65_534, 65_534];

/** An MCP server with one tool, which reports what its process may do. The files to try are its arguments. */
const program = `
const { readFileSync, writeFileSync } = require('node:fs');
const attempt = (act) => { try { act(); return true; } catch { return false; } };
const report = () => ({
  uid: process.getuid(), euid: process.geteuid(), gid: process.getgid(), egid: process.getegid(), groups: process.getgroups(),
  home: process.env.HOME,
  mayBecomeRoot: attempt(() => process.setuid(0)),
  readable: process.argv.slice(2).filter((file) => attempt(() => readFileSync(file))),
  readsGateway: attempt(() => readFileSync('/proc/' + process.ppid + '/environ')),
  mayEndGateway: attempt(() => process.kill(process.ppid, 0)),
});
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'who', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'report', inputSchema: { type: 'object' } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: JSON.stringify(report()) }] }),
};
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = answers[method];
  const rest = answer ? { result: answer(params) } : { error: { code: -32601, message: 'no such method' } };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...rest }) + '\\n');
});
`;

describe.skipIf(!isRoot)('a program of an MCP server, where the gateway runs as root', () => {
  const owned = new AsyncDisposableStack();
  let gateway: TestGateway;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-user-'));
    owned.defer(() => rm(folder, { recursive: true }));
    await chmod(folder, 0o755);
    const file = join(folder, 'who.cjs');
    await writeFile(file, program);
    // Other users cannot start the Node of a checkout in root's own folder.
    let command = process.execPath;
    if (spawnSync(command, ['-e', '0'], { uid, gid }).status !== 0) {
      command = join(folder, 'node');
      await copyFile(process.execPath, command);
      await chmod(command, 0o755);
    }
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-user-data-'));
    owned.defer(() => rm(dataDir, { recursive: true }));
    const programs = { who: { command, args: [file, join(dataDir, 'master.key'), join(dataDir, 'pailou.db')], tenants: '*' } };
    gateway = owned.use(
      await startGateway({
        PAILOU_DATA_DIR: dataDir,
        PAILOU_STDIO_PROGRAMS: JSON.stringify(programs),
        PAILOU_STDIO_USER: `${uid}:${gid}`,
      }),
    );
  });
  afterAll(() => owned.disposeAsync());

  it('is another user, without groups, who reads no secret of the gateway and cannot become root or end it', async () => {
    const spec = { kind: 'stdio', options: { program: 'who' } };
    const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'who', spec });
    expect(made.status, made.text).toBe(201);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'report', arguments: {} } };
    const answer = await gateway.as('admin', 'POST', '/mcp/who', call, { accept: 'application/json, text/event-stream' });
    const result = /"text":("(?:[^"\\]|\\.)*")/.exec(answer.text)?.[1];
    expect(result, answer.text).toBeDefined();
    expect(JSON.parse(JSON.parse(result ?? '""') as string)).toEqual({
      uid,
      euid: uid,
      gid,
      egid: gid,
      groups: [gid],
      home: expect.not.stringContaining('root'),
      mayBecomeRoot: false,
      readable: [],
      readsGateway: false,
      mayEndGateway: false,
    });
  });
});

it('PAILOU_STDIO_USER stops the start of a gateway that may not switch to that user', () => {
  const { getuid } = process;
  process.getuid = () => 1_000;
  try {
    expect(() => readSettings({ PAILOU_STDIO_USER: '65534:65534' })).toThrow(/needs a gateway that runs as root/);
  } finally {
    Object.assign(process, { getuid });
  }
  expect(() => readSettings({ PAILOU_STDIO_USER: 'nobody' })).toThrow(/PAILOU_STDIO_USER: "nobody" is not /);
});
