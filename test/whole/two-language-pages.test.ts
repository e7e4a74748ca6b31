/** The pages in English and Chinese, executed as printed: every command in order against a separate gateway. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../architecture/source-tree.ts';
import { node, runEnv, startGateway, startProcess } from './gateway.ts';
import { startVendor } from './vendor.ts';

const blocksIn = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^ *\`\`\`${language}\n([^]*?)^ *\`\`\``, 'gm'))].map(([, block]) =>
    (block ?? '').replaceAll(/^ {3}/gm, ''),
  );
const page = (path: string): Promise<string> => readFile(join(projectRoot, path), 'utf8');

/** The commands of a page, each with a part of its output. */
const pasted = (blocks: readonly string[]): { command: string; shown: string | null }[] =>
  blocks.flatMap((block) =>
    block
      .split(/(?<=^# → .*\n)/m)
      .filter((part) => part.trim() !== '')
      .map((part) => ({ command: part.replace(/^# → .*\n/m, ''), shown: /^# → (.*)$/m.exec(part)?.[1] ?? null })),
  );

interface Shell {
  readonly env: Record<string, string>;
  readonly cwd: string;
}

/** Runs commands in one shell, in which `npx pailou` is this checkout. Returns what each of them prints. */
async function runInShell(commands: readonly string[], { env, cwd }: Shell): Promise<string[]> {
  const npx = `npx() { case "$1" in pailou) shift; "${node}" "${join(projectRoot, 'src/cli.ts')}" "$@";; node) shift; "${node}" "$@";; esac; }`;
  const script = commands.map((command, index) => `echo; echo "=== ${index} ==="\n${command}`).join('\n');
  const options = { env: { ...runEnv, HOME: cwd, ...env }, cwd };
  const output = await new Promise<string>((resolve) => {
    execFile('bash', ['-c', `exec 2>&1\n${npx}\n${script}`], options, (_error, out, bad) => resolve(out + bad));
  });
  return output.split(/=== \d+ ===\n/).slice(1);
}

/** Runs the blocks of a page. Returns where the output differs from what the page shows. */
async function wrongIn(blocks: readonly string[], env: Record<string, string>, cwd: string): Promise<string> {
  const steps = pasted(blocks);
  const commands = steps.map(({ command }) => command);
  const printed = await runInShell(commands, { env, cwd });
  return steps
    .flatMap(({ command, shown }, index) =>
      shown === null || printed[index]?.includes(shown) === true ? [] : [`${command}should show\n${shown}\nbut shows\n${printed[index]}`],
    )
    .join('\n\n');
}

/** Runs a program that finds the packages of this project. Returns what it prints. */
const runModule = (code: string, env: Record<string, string>): Promise<string> =>
  new Promise((resolve) => {
    execFile(node, ['--input-type=module', '-e', code], { env, cwd: join(projectRoot, 'test') }, (_error, out, bad) => resolve(out + bad));
  });

describe.each(['docs/quickstart.md', 'docs/zh/quickstart.md'])('%s', (path) => {
  it('leads from the first start to a colleague’s call', async () => {
    await using owned = new AsyncDisposableStack();
    const text = await page(path);
    const [install, ...blocks] = blocksIn(text, 'sh');
    expect(install).toBe('npm ci && npm start\n');
    const production = blocks.findIndex((block) => block.includes('PAILOU_MODE=production'));
    const vendor = owned.use(await startVendor());
    const folder = await mkdtemp(join(tmpdir(), 'pailou-pages-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const withVendor = (block: string): string =>
      block.replaceAll('"kind": "deepseek", "options": {', `"kind": "openai-compatible", "options": {"base_url": "${vendor.url}", `);

    const dataDir = join(folder, '.pailou');
    {
      await using first = await startGateway({ PAILOU_DATA_DIR: dataDir }, startProcess);
      const local = blocks.slice(0, production).map((block) => withVendor(block).replaceAll('http://127.0.0.1:8000', first.url));
      expect(await wrongIn(local, first.env, folder)).toBe('');
    }
    expect(vendor.requests.length).toBeGreaterThan(1);

    // Another development identity service stands for the OAuth2 service of the company.
    const company = owned.use(await startGateway());
    const exported = Object.fromEntries(
      [...(blocks[production] ?? '').matchAll(/^export (\w+)=(\S+)/gm)].map(([, name, value]) => [name, value]),
    ) as Record<string, string>;
    expect(Object.keys(exported).length).toBeGreaterThan(5);
    const second = owned.use(
      await startGateway(
        {
          ...exported,
          PAILOU_DATA_DIR: dataDir,
          PAILOU_HOST: '127.0.0.1',
          PAILOU_MASTER_KEY_FILE: join(folder, exported['PAILOU_MASTER_KEY_FILE'] ?? ''),
          PAILOU_OAUTH_ISSUER: company.gateway.issuer,
          PAILOU_OAUTH_ALLOWED_CLIENTS: 'pailou-development',
          PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
        },
        startProcess,
      ),
    );
    const env = { TOKEN: await company.token('user') };
    const there = (block: string): string => block.replaceAll('https://pailou.company.cn', second.url);
    expect(await wrongIn(blocks.slice(production + 1).map(there), env, folder)).toBe('');
    const [code = ''] = blocksIn(text, 'js').map(there);
    expect(await runModule(code, env)).toBe('ok\n');
  });
});

describe.each(['README.md', 'README.zh-CN.md'])('%s', (path) => {
  it('contains commands and code that work', async () => {
    await using owned = new AsyncDisposableStack();
    const text = await page(path);
    const folder = await mkdtemp(join(tmpdir(), 'pailou-pages-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const gateway = owned.use(await startGateway({ PAILOU_DATA_DIR: join(folder, '.pailou') }, startProcess));
    const here = (block: string): string => block.replaceAll('http://127.0.0.1:8000', gateway.url);
    const blocks = blocksIn(text, 'sh').filter((block) => !block.startsWith('npm '));
    expect(blocks.length).toBeGreaterThan(1);
    const printed = await runInShell(blocks.map(here), { env: gateway.env, cwd: folder });
    expect(printed).toHaveLength(blocks.length);
    expect(printed[0]).toContain('[DONE]');
    expect(printed.join('\n')).not.toContain('"error":{');
    expect((await gateway.as('admin', 'GET', '/api/models/gpt-5')).status).toBe(200);
    const [code = ''] = blocksIn(text, 'js').map(here);
    expect(await runModule(`${code}\nconsole.log(answer.choices[0].message.content);`, { TOKEN: await gateway.token('user') })).toContain(
      'You said: Hello',
    );
  });
});

describe('docs/zh/skills.md', () => {
  it('shows the output of its commands', async () => {
    await using owned = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'pailou-pages-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const gateway = owned.use(await startGateway({}, startProcess));
    const blocks = blocksIn(await page('docs/zh/skills.md'), 'sh').map((block) => block.replaceAll('http://127.0.0.1:8000', gateway.url));
    expect(await wrongIn(blocks, { PAILOU_URL: gateway.url, ...gateway.env }, folder)).toBe('');
  });
});

describe.each(['docs/operations.md', 'docs/zh/operations.md'])('%s', (path) => {
  it('backs up, restores and watches a gateway', async () => {
    await using owned = new AsyncDisposableStack();
    const text = await page(path);
    const folder = await mkdtemp(join(tmpdir(), 'pailou-pages-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const blocks = blocksIn(text, 'sh');
    const needsServer = blocks.filter((block) => /^createdb|^npm ci/.test(block));
    const restore = blocks.filter((block) => block.startsWith('npx pailou restore'));
    expect([needsServer.length, restore.length], 'The page has other commands than this test knows.').toEqual([2, 1]);
    const served = blocks.filter((block) => !needsServer.includes(block) && !restore.includes(block));

    const dataDir = join(folder, '.pailou');
    const before = owned.use(await startGateway({ PAILOU_DATA_DIR: dataDir }, startProcess));
    const here = served.map((block) => block.replaceAll('http://127.0.0.1:8000', before.url));
    const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
    await before.as('admin', 'POST', '/api/models', { name: 'before', spec });
    const env = { ...before.env, PAILOU_DATA_DIR: '.pailou' };
    expect(await wrongIn(here, env, folder)).toBe('');
    await before.as('admin', 'POST', '/api/models', { name: 'after', spec });
    const metrics = await (await fetch(`${before.url}/metrics`)).text();
    const own = [...metrics.matchAll(/^# TYPE (pailou_\w+)/gm)]
      .map(([, name]) => name ?? '')
      .filter((name) => !/^pailou_(process|nodejs)_/.test(name));
    expect(own.filter((name) => !text.includes(`| \`${name}\` |`))).toEqual([]);
    // A file that is being replaced has a second name for a moment, `<name>.<uuid>`.
    const names = (await readdir(dataDir)).map((name) => name.replace(/\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, ''));
    const files = names.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}/\``));
    expect(files).toEqual([]);
    await before[Symbol.asyncDispose]();

    expect(await wrongIn(restore, env, folder)).toBe('');
    const after = owned.use(await startGateway({ PAILOU_DATA_DIR: dataDir }, startProcess));
    expect((await after.as('admin', 'GET', '/api/models/before')).status).toBe(200);
    expect((await after.as('admin', 'GET', '/api/models/after')).status).toBe(404);
  });
});

describe.each(['docs/mcp.md', 'docs/zh/mcp.md'])('%s', (path) => {
  it('creates a key for its editor configuration, which the gate accepts', async () => {
    await using owned = new AsyncDisposableStack();
    const text = await page(path);
    const folder = await mkdtemp(join(tmpdir(), 'pailou-pages-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const gateway = owned.use(await startGateway({}, startProcess));
    const blocks = blocksIn(text, 'sh').filter((block) => block.startsWith('curl '));
    const here = blocks.map((block) => block.replaceAll('http://127.0.0.1:8000', gateway.url));
    const [printed = ''] = await runInShell(here, { env: { PAILOU_URL: gateway.url, ...gateway.env }, cwd: folder });
    const key = /"key":"([^"]+)"/.exec(printed)?.[1] ?? '';
    const [editor = ''] = blocksIn(text, 'json');
    const { headers } = (JSON.parse(editor) as { mcpServers: { pailou: { headers: { Authorization: string } } } }).mcpServers.pailou;
    expect(`Bearer ${key}`, printed).toMatch(new RegExp(`^${headers.Authorization.replace('…', '')}\\w`));
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
    const given = { authorization: `Bearer ${key}`, accept: 'application/json, text/event-stream' };
    const listed = await gateway.as(null, 'POST', '/mcp', list, given);
    expect(listed.status, listed.text).toBe(200);
  });
});
