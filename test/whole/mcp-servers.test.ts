/** Common MCP servers over each transport, with common clients: the official SDKs of both generations, both eras. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, node, runEnv, startGateway, type TestGateway } from './gateway.ts';
import { nodePrograms } from './stdio-programs.ts';

const packages = join(import.meta.dirname, '../node_modules');
const everything = join(packages, '@modelcontextprotocol/server-everything/dist/index.js');
let gateway: TestGateway;
let folder: string;
const owned = new AsyncDisposableStack();

async function listen(mode: 'streamableHttp' | 'sse'): Promise<number> {
  const port = await freePort();
  const child: ChildProcess = spawn(node, [everything, mode], { env: { ...runEnv, PORT: String(port) }, stdio: 'ignore' });
  owned.defer(() => void child.kill('SIGKILL'));
  await eventually(
    () =>
      fetch(`http://127.0.0.1:${port}/mcp`, { signal: AbortSignal.timeout(10_000) }).then(
        () => true,
        () => false,
      ),
    (is) => is,
    20_000,
  );
  return port;
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'pailou-files-')));
  owned.defer(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'note.txt'), 'the content of the note');
  const [http, sse] = await Promise.all([listen('streamableHttp'), listen('sse')]);
  gateway = owned.use(
    await startGateway(
      nodePrograms(
        [
          [join(packages, '@modelcontextprotocol/server-filesystem/dist/index.js'), folder],
          [join(packages, '@modelcontextprotocol/server-memory/dist/index.js')],
          [everything, 'stdio'],
        ],
        ['MEMORY_FILE_PATH'],
      ),
    ),
  );
  const program = (...args: string[]) => ({ kind: 'stdio', options: { command: 'node', args } });
  const specs = {
    files: program(join(packages, '@modelcontextprotocol/server-filesystem/dist/index.js'), folder),
    memory: {
      kind: 'stdio',
      options: {
        command: 'node',
        args: [join(packages, '@modelcontextprotocol/server-memory/dist/index.js')],
        env: { MEMORY_FILE_PATH: join(folder, 'memory.json') },
      },
    },
    'all-stdio': { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio'], sessions: 'user' } },
    'all-http': { kind: 'http', options: { url: `http://127.0.0.1:${http}/mcp`, sessions: 'user' } },
    'all-sse': { kind: 'sse', options: { url: `http://127.0.0.1:${sse}/sse`, sessions: 'user' } },
  };
  for (const [name, spec] of Object.entries(specs)) {
    const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec });
    expect(made.status, made.text).toBe(201);
  }
});
afterAll(() => owned.disposeAsync());

/** The common interface of the clients of both SDKs. */
type AnyClient = Pick<
  Client,
  'listTools' | 'listPrompts' | 'listResources' | 'listResourceTemplates' | 'readResource' | 'getPrompt' | 'complete' | 'close'
> & {
  callTool(params: { name: string; arguments?: Record<string, unknown> }, options?: object): Promise<unknown>;
};
type Kind = '1.x' | '2.x legacy' | '2.x modern';
const capabilities = { elicitation: { form: {} }, sampling: {} };
const accept = { action: 'accept' as const, content: { name: 'Li Na' } };
const said = { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'said by the model of the client' } };

async function connect(kind: Kind, path: string): Promise<AnyClient & AsyncDisposable> {
  const url = new URL(`${gateway.url}${path}`);
  const requestInit = { headers: { authorization: `Bearer ${await gateway.token('developer')}` } };
  if (kind === '1.x') {
    const client = new OldClient({ name: 'old', version: '1.0.0' }, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, async () => accept);
    client.setRequestHandler(CreateMessageRequestSchema, async () => said);
    await client.connect(new OldTransport(url, { requestInit }));
    return Object.assign(client as unknown as AnyClient, { [Symbol.asyncDispose]: () => client.close() });
  }
  const client = new Client(
    { name: 'new', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: kind === '2.x modern' ? 'auto' : 'legacy' } },
  );
  client.setRequestHandler('elicitation/create', async () => accept);
  client.setRequestHandler('sampling/createMessage', async () => said);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  expect(client.getProtocolEra()).toBe(kind === '2.x modern' ? 'modern' : 'legacy');
  return Object.assign(client as unknown as AnyClient, { [Symbol.asyncDispose]: () => client.close() });
}
const textOf = (result: unknown): string => JSON.stringify((result as { content: unknown }).content);
const names = async (client: AnyClient): Promise<string[]> =>
  (await client.listTools(undefined, { cacheMode: 'bypass' } as never)).tools.map((tool) => tool.name);
const has = (client: AnyClient, name: string) =>
  eventually(
    () => names(client),
    (all) => all.includes(name),
    15_000,
  );

describe.each<Kind>(['1.x', '2.x legacy', '2.x modern'])('a client of the SDK %s', (kind) => {
  it('uses a file server and a memory server at one address', async () => {
    await using client = await connect(kind, '/mcp');
    await has(client, 'files__read_text_file');
    await has(client, 'memory__create_entities');
    expect(textOf(await client.callTool({ name: 'files__read_text_file', arguments: { path: join(folder, 'note.txt') } }))).toContain(
      'the content of the note',
    );
    // A unique name needs no prefix.
    expect(textOf(await client.callTool({ name: 'list_allowed_directories', arguments: {} }))).toContain(folder);
    const entity = { name: `person ${kind}`, entityType: 'person', observations: ['likes gates'] };
    await client.callTool({ name: 'memory__create_entities', arguments: { entities: [entity] } });
    expect(textOf(await client.callTool({ name: 'memory__search_nodes', arguments: { query: kind } }))).toContain('likes gates');
    const outside = (await client.callTool({ name: 'files__read_text_file', arguments: { path: '/etc/passwd' } })) as { isError?: boolean };
    expect(outside.isError).toBe(true);
  });

  it.each(['all-stdio', 'all-http', 'all-sse'])('uses all features of %s', async (server) => {
    await using client = await connect(kind, `/mcp/${server}`);
    await has(client, 'trigger-sampling-request');
    expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } }))).toContain('5');
    const structured = (await client.callTool({ name: 'get-structured-content', arguments: { location: 'Chicago' } })) as {
      structuredContent: object;
    };
    expect(structured.structuredContent).toHaveProperty('temperature');
    expect(textOf(await client.callTool({ name: 'get-tiny-image', arguments: {} }))).toContain('"type":"image"');

    const { resources } = await client.listResources();
    const read = await client.readResource({ uri: resources[0]?.uri ?? '' });
    expect(JSON.stringify(read.contents)).toContain('text');
    expect((await client.listResourceTemplates()).resourceTemplates.length).toBeGreaterThan(0);
    expect(JSON.stringify(await client.readResource({ uri: 'demo://resource/dynamic/text/7' }))).toContain('7');
    await expect(client.readResource({ uri: 'demo://resource/nothing' })).rejects.toThrow();

    expect((await client.listPrompts()).prompts.map((prompt) => prompt.name)).toContain('args-prompt');
    expect(JSON.stringify(await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Suzhou' } }))).toContain('Suzhou');
    const completion = await client.complete({
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    });
    expect(completion.completion.values).toContain('Engineering');

    expect(textOf(await client.callTool({ name: 'trigger-elicitation-request', arguments: {} }))).toContain('Li Na');
    expect(textOf(await client.callTool({ name: 'trigger-sampling-request', arguments: { prompt: 'Hi' } }))).toContain(
      'said by the model of the client',
    );

    const steps: number[] = [];
    await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } },
      ...((kind === '1.x' ? [undefined] : []) as []),
      { onprogress: ({ progress }: { progress: number }) => steps.push(progress) },
    );
    expect(steps.length).toBeGreaterThanOrEqual(3);
    expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  });
});
