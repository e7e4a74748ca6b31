/** Skills and MCP tools: registered over the API without a restart, under one permission model at every entry point. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { eventually, freePort, runEnv, startGateway, type TestGateway } from './gateway.ts';
import { nodePrograms } from './stdio-programs.ts';
import { answerOk, chunks, completion, startVendor, type Vendor } from './vendor.ts';

const root = join(import.meta.dirname, '../..');
const everything = join(root, 'test/node_modules/@modelcontextprotocol/server-everything/dist/index.js');
let gateway: TestGateway;
let vendor: Vendor;
let remote: ChildProcess;
let remoteUrl: string;

beforeAll(async () => {
  gateway = await startGateway(nodePrograms([[everything, 'stdio']]));
  vendor = await startVendor();
  const port = await freePort();
  remoteUrl = `http://127.0.0.1:${port}/mcp`;
  remote = spawn(join(root, 'node_modules/.bin/node'), [everything, 'streamableHttp'], {
    env: { ...runEnv, PORT: String(port) },
    stdio: 'ignore',
  });
  await eventually(
    () =>
      fetch(remoteUrl).then(
        (answer) => answer.status,
        () => 0,
      ),
    (status) => status > 0,
    10_000,
  );
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'scripted', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
  remote.kill('SIGKILL');
});

async function mcpClient(role: Role, path = '/mcp'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(gateway.url + path), {
      requestInit: { headers: { authorization: `Bearer ${await gateway.token(role)}` } },
    }),
  );
  return client;
}

describe('a prompt skill', () => {
  const spec = {
    kind: 'prompt',
    description: 'Says something about a city.',
    model: 'scripted',
    options: {
      instructions: 'Speak about {{city}}.',
      input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
    },
  };

  it('answers on the next call after it was registered, at both entry points, with the same result', async () => {
    const made = await gateway.as('admin', 'POST', '/api/skills', { name: 'city', spec });
    expect(made.status, made.text).toBe(201);
    vendor.behave((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(completion('Gardens.')));
    const run = await gateway.as('developer', 'POST', '/v1/skills/city/runs', { input: { city: 'Suzhou' } });
    expect(run.status, run.text).toBe(200);
    expect(run.json).toMatchObject({ output: 'Gardens.', skill: 'city' });
    expect(JSON.stringify(vendor.requests.at(-1)?.body.messages)).toContain('Speak about Suzhou.');
    const chat = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'skill/city',
      messages: [{ role: 'user', content: '{"city":"Suzhou"}' }],
    });
    expect(chat.status, chat.text).toBe(200);
    expect(chat.json).toMatchObject({ model: 'skill/city', choices: [{ message: { content: 'Gardens.' } }] });
    expect(chat.json.usage.total_tokens).toBe(7);
  });

  it.each([
    ['before the first word', 0],
    ['in the middle of its stream', 3],
  ])('that takes too long reports that, %s, and is recorded so', async (_when, words) => {
    const name = `slow-${words}`;
    const made = await gateway.as('admin', 'POST', '/api/skills', { name, spec: { ...spec, limits: { total_ms: 400 } } });
    expect(made.status, made.text).toBe(201);
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const chunk of chunks(['one ', 'two ', 'three ']).slice(0, words)) response.write(chunk);
    });
    const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: `skill/${name}`,
      stream: true,
      messages: [{ role: 'user', content: '{"city":"Suzhou"}' }],
    });
    expect(answer.text).toContain('"code":"upstream_timeout"');
    expect(answer.text).toContain('took longer than its 400 ms.');
    vendor.behave((request, response) => answerOk(request, response));
    const latest = async () => (await gateway.as('admin', 'GET', '/api/runs?limit=2')).json.data as { capability: string; error: string }[];
    const runs = await eventually(latest, (found) => found.some(({ capability }) => capability === `skill/${name}`));
    expect(Object.fromEntries(runs.map(({ capability, error }) => [capability, error]))).toEqual({
      'model/scripted': 'upstream_timeout',
      [`skill/${name}`]: 'upstream_timeout',
    });
  });

  it('names the path of an input that does not fit', async () => {
    const wrong = await gateway.as('developer', 'POST', '/v1/skills/city/runs', { input: { city: 7 } });
    expect(wrong.status).toBe(400);
    expect(wrong.json.error.param).toMatch(/city/);
  });

  it('is 403 for a user without the grant at every entry point, and its model is checked for the caller too', async () => {
    const ways = () =>
      Promise.all([
        gateway.as('user', 'POST', '/v1/skills/city/runs', { input: { city: 'x' } }),
        gateway.as('user', 'POST', '/v1/chat/completions', { model: 'skill/city', messages: [{ role: 'user', content: '{"city":"x"}' }] }),
      ]);
    for (const answer of await ways()) expect(answer.status).toBe(403);
    expect((await gateway.as('user', 'GET', '/v1/skills')).text).not.toContain('"city"');
    await gateway.as('admin', 'POST', '/api/grants', {
      name: 'city',
      spec: { subject_type: 'role', subject: 'user', capability: 'skill/city', action: 'use' },
    });
    for (const answer of await ways()) {
      expect(answer.status).toBe(403);
      expect(answer.json.error.message).toContain('model/scripted');
    }
    await gateway.as('admin', 'POST', '/api/grants', {
      name: 'scripted',
      spec: { subject_type: 'role', subject: 'user', capability: 'model/scripted', action: 'use' },
    });
    for (const answer of await ways()) expect(answer.status).toBe(200);
    await gateway.as('admin', 'DELETE', '/api/grants/city');
    await gateway.as('admin', 'DELETE', '/api/grants/scripted');
  });
});

it('says in the test of a draft why an MCP server cannot be reached', async () => {
  const spec = { kind: 'http', options: { url: `http://127.0.0.1:${await freePort()}/mcp` } };
  const { json } = await gateway.as('admin', 'POST', '/api/mcp-servers/test', { spec });
  expect(json).toMatchObject({ ok: false, error: { code: 'tool_failed', reason: 'connection_refused' } });
  expect(json.error.detail).toContain('ECONNREFUSED');
});

describe('a real MCP server', () => {
  const specs = () => ({
    'every-stdio': { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio'] } },
    'every-http': { kind: 'http', options: { url: remoteUrl } },
  });

  it('is tested as a draft, registered over both transports, and its tools answer on the next call', async () => {
    for (const [name, spec] of Object.entries(specs())) {
      const tried = await gateway.as('admin', 'POST', '/api/mcp-servers/test', { spec });
      expect(tried.json, tried.text).toMatchObject({ ok: true });
      expect(tried.json.tools.map((tool: { name: string }) => tool.name)).toContain('echo');
      const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec });
      expect(made.status, made.text).toBe(201);
      let round = 0;
      vendor.behave((request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        round++;
        const tool = request.body.tools?.find((each: { function: { name: string } }) => each.function.name.endsWith('echo'));
        response.end(
          round === 1
            ? completion(
                null,
                {
                  tool_calls: [
                    { id: 'c1', type: 'function', function: { name: tool.function.name, arguments: '{"message":"through the gate"}' } },
                  ],
                },
                'tool_calls',
              )
            : completion(`The tool said: ${JSON.stringify(request.body.messages.at(-1).content)}`),
        );
      });
      const chat = await gateway.as('developer', 'POST', '/v1/chat/completions', {
        model: 'scripted',
        messages: [{ role: 'user', content: 'echo' }],
        tools: [{ type: 'mcp', server_label: name, allowed_tools: ['echo'] }],
      });
      expect(chat.status, chat.text).toBe(200);
      expect(chat.json.choices[0].message.content).toContain('through the gate');
      expect(chat.json.usage.total_tokens).toBe(14);
    }
  });

  it('shows its tools at /mcp with prefix and at /mcp/<server> without, and answers calls', async () => {
    const all = await mcpClient('developer');
    const names = (await all.listTools()).tools.map((tool) => tool.name);
    expect(names).toContain('every-http__echo');
    const answer = await all.callTool({ name: 'every-http__echo', arguments: { message: 'hello' } });
    expect(JSON.stringify(answer.content)).toContain('hello');
    await all.close();
    const one = await mcpClient('developer', '/mcp/every-stdio');
    expect((await one.listTools()).tools.map((tool) => tool.name)).toContain('echo');
    expect(JSON.stringify((await one.callTool({ name: 'echo', arguments: { message: 'bare' } })).content)).toContain('bare');
    await one.close();
  });

  it('is refused to a user without the grant at every entry point, and granted tool by tool', async () => {
    const chat = () =>
      gateway.as('user', 'POST', '/v1/chat/completions', {
        model: 'demo/echo',
        messages: [{ role: 'user', content: 'x' }],
        tools: [{ type: 'mcp', server_label: 'every-http' }],
      });
    expect((await chat()).status).toBe(403);
    const client = await mcpClient('user');
    expect((await client.listTools()).tools.filter((tool) => tool.name.startsWith('every-http'))).toEqual([]);
    await expect(
      client
        .callTool({ name: 'every-http__echo', arguments: { message: 'x' } })
        .then((answer) => (answer.isError === true ? Promise.reject(new Error('refused')) : answer)),
    ).rejects.toThrow();
    await gateway.as('admin', 'POST', '/api/grants', {
      name: 'echo',
      spec: { subject_type: 'role', subject: 'user', capability: 'mcp/every-http/echo', action: 'use' },
    });
    expect((await client.listTools()).tools.map((tool) => tool.name).filter((name) => name.startsWith('every-http'))).toEqual([
      'every-http__echo',
    ]);
    expect(JSON.stringify((await client.callTool({ name: 'every-http__echo', arguments: { message: 'now' } })).content)).toContain('now');
    await gateway.as('admin', 'DELETE', '/api/grants/echo');
    expect((await client.listTools()).tools.filter((tool) => tool.name.startsWith('every-http'))).toEqual([]);
    await client.close();
    expect(
      (await fetch(`${gateway.url}/mcp`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status,
    ).toBe(401);
  });
});

it('the demo tells the time with the bundled server, streamed', async () => {
  const answer = await gateway.as('user', 'POST', '/v1/chat/completions', {
    model: 'demo/tools',
    stream: true,
    messages: [{ role: 'user', content: 'What is 6 * 7?' }],
    tools: [{ type: 'mcp', server_label: 'demo' }],
  });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.text).toContain('42');
  expect(answer.text).toMatch(/data: \[DONE\]\n\n$/);
});
