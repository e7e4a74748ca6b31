/** What agents send with every request, and vendors refuse: billing lines, long tool names, many tools, efforts, metadata. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/types/json.ts';
import { startGateway, type Answer, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let vendor: Server;
const seen: JsonObject[] = [];
const billing = 'x-anthropic-billing-header: cc_version=2.1.197; cc_entrypoint=cli; cch=4f1d2;';
const long = `mcp__${'company-knowledge-base'.repeat(3)}__search.pages`;

/** Calls the first offered tool, in the words of the address. */
function answerTo(path: string, body: JsonObject): JsonObject {
  if (path.includes('/messages')) {
    const tools = (body['tools'] ?? []) as { name: string }[];
    const content =
      tools[0] === undefined ? [{ type: 'text', text: 'ok' }] : [{ type: 'tool_use', id: 'toolu_1', name: tools[0].name, input: {} }];
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content,
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 1 },
    };
  }
  const tools = (body['tools'] ?? []) as { function: { name: string } }[];
  const call = { id: 'call-1', type: 'function', function: { name: tools[0]?.function.name, arguments: '{}' } };
  const message = tools.length === 0 ? { role: 'assistant', content: 'ok' } : { role: 'assistant', content: null, tool_calls: [call] };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  return { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
}

function streamed(answer: JsonObject): string {
  const [choice] = answer['choices'] as { message: { tool_calls?: object[] } }[];
  const calls = choice?.message.tool_calls?.map((call, index) => ({ index, ...call }));
  const part = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  return `${part({ role: 'assistant', ...(calls === undefined ? { content: 'ok' } : { tool_calls: calls }) }, null)}${part({}, 'stop')}data: [DONE]\n\n`;
}

beforeAll(async () => {
  vendor = createServer((request, response) => {
    readText(request).then(
      (text) => {
        const body = JSON.parse(text) as JsonObject;
        seen.push(body);
        const answer = answerTo(request.url ?? '', body);
        if (body['stream'] === true) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed(answer));
        else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  gateway = await startGateway();
  const kinds = [
    ['compatible', 'openai-compatible', 'm'],
    ['openai', 'openai', 'gpt-4o'],
    ['facade', 'anthropic', 'glm-5.2'],
    ['claude', 'anthropic', 'claude-opus-4-5'],
  ];
  for (const [name = '', kind, model] of kinds) {
    const spec = { kind, options: { api_key: 'key', base_url: `${base}/${name}` } };
    await create('/api/providers', { name, spec });
    await create('/api/models', { name, spec: { deployments: [{ provider: name, model }] } });
  }
  const spec = { kind: 'prompt', description: 'd', model: 'compatible', options: { instructions: 'Be brief.' } };
  await create('/api/skills', { name: 'brief', spec });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  vendor.closeAllConnections();
  vendor.close();
});

async function create(path: string, row: object): Promise<void> {
  const { status, text } = await gateway.as('admin', 'POST', path, row);
  expect(status, text).toBe(201);
}

const messages = (body: object): Promise<Answer> => gateway.as('developer', 'POST', '/v1/messages', { max_tokens: 100, ...body });
const chat = (body: object): Promise<Answer> => gateway.as('developer', 'POST', '/v1/chat/completions', body);
const question = { role: 'user', content: 'Where is the gate?' };
const warningsOf = ({ headers }: Answer): string => headers.get('x-pailou-warnings') ?? '';
const functionTool = (name: string): object => ({ type: 'function', function: { name, parameters: { type: 'object' } } });

describe("Claude Code's billing line", () => {
  const system = [
    { type: 'text', text: billing },
    { type: 'text', text: 'You are Claude Code.' },
  ];

  it.each(['compatible', 'facade'])('is left out for %s', async (model) => {
    expect((await messages({ model, system, messages: [question] })).status).toBe(200);
    expect(JSON.stringify(seen.at(-1))).not.toContain('billing');
    expect(JSON.stringify(seen.at(-1))).toContain('You are Claude Code.');
  });
});

describe('tool names that vendors refuse', () => {
  const calls = [{ id: 'call-0', type: 'function', function: { name: long, arguments: '{}' } }];
  const conversation = [
    question,
    { role: 'assistant', content: null, tool_calls: calls },
    { role: 'tool', tool_call_id: 'call-0', content: 'south' },
  ];

  it.each([false, true])('are shortened in tools, choice and history, and restored in the answer (streamed: %s)', async (stream) => {
    const body = {
      model: 'compatible',
      messages: conversation,
      tools: [functionTool(long)],
      tool_choice: { type: 'function', function: { name: long } },
      stream,
    };
    const answer = await chat(body);
    expect(answer.text).toContain(`"name":"${long}"`);
    expect(warningsOf(answer)).toContain('1 tool name changed');
    const sent = seen.at(-1) as { tools: { function: { name: string } }[]; tool_choice: object; messages: { tool_calls?: object[] }[] };
    const name = sent.tools[0]?.function.name ?? '';
    expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(JSON.stringify(sent)).not.toContain(long);
    expect(sent.tool_choice).toEqual({ type: 'function', function: { name } });
    expect(sent.messages[1]?.tool_calls).toEqual([{ ...calls[0], function: { name, arguments: '{}' } }]);
  });

  it('are restored on Messages and Responses', async () => {
    const tool = { name: long, input_schema: { type: 'object' } };
    const message = await messages({ model: 'compatible', messages: [question], tools: [tool] });
    expect(message.json.content).toEqual([expect.objectContaining({ type: 'tool_use', name: long })]);
    const flat = { type: 'function', name: long, parameters: { type: 'object' } };
    const response = await gateway.as('developer', 'POST', '/v1/responses', { model: 'compatible', input: 'x', tools: [flat] });
    expect(response.json.output).toEqual([expect.objectContaining({ type: 'function_call', name: long })]);
  });

  it('go unchanged to a vendor of the client format', async () => {
    await messages({ model: 'claude', messages: [question], tools: [{ name: long, input_schema: { type: 'object' } }] });
    expect(JSON.stringify(seen.at(-1))).toContain(long);
  });

  it('two long names stay two', async () => {
    await chat({ model: 'compatible', messages: [question], tools: [functionTool(`${long}1`), functionTool(`${long}2`)] });
    const names = (seen.at(-1) as { tools: { function: { name: string } }[] }).tools.map((tool) => tool.function.name);
    expect(new Set(names).size).toBe(2);
  });

  it('short names leave the bytes of the request alone', async () => {
    const answer = await chat({ model: 'compatible', messages: [question], tools: [functionTool('find')] });
    expect(warningsOf(answer)).toBe('');
  });
});

describe('numbers beyond what a vendor takes', () => {
  it('are cut with a warning', async () => {
    const tools = Array.from({ length: 130 }, (_, index) => functionTool(`t${index}`));
    const forced = { type: 'function', function: { name: 't129' } };
    const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'v']));
    const body = {
      model: 'openai',
      messages: [question],
      tools,
      tool_choice: forced,
      stop: ['a', 'b', 'c', 'd', 'e'],
      metadata,
      user: 'u'.repeat(80),
    };
    const answer = await chat(body);
    const sent = seen.at(-1) as { tools: object[]; stop: string[]; metadata: object; user: string };
    expect(sent.tools).toHaveLength(128);
    expect(sent.tools).toContainEqual(tools[129]);
    expect(sent.stop).toEqual(['a', 'b', 'c', 'd']);
    expect(Object.keys(sent.metadata)).toHaveLength(16);
    expect(sent.user).toMatch(/^[0-9a-f]{64}$/);
    for (const word of ['2 tools left out', '1 stop sequences left out', '4 entries of metadata left out', 'user sent as a digest'])
      expect(warningsOf(answer)).toContain(word);
  });

  it('are cut for max_tokens, where the catalogue knows what the model writes', async () => {
    const answer = await messages({ model: 'openai', max_tokens: 32_000, messages: [question] });
    expect(seen.at(-1)).toMatchObject({ max_tokens: 16_384 });
    expect(warningsOf(answer)).toContain('max_tokens is 16384');
  });

  it('are not cut where no limit is known', async () => {
    const answer = await chat({ model: 'compatible', messages: [question], stop: ['a', 'b', 'c', 'd', 'e'] });
    expect(seen.at(-1)).toMatchObject({ stop: ['a', 'b', 'c', 'd', 'e'] });
    expect(warningsOf(answer)).toBe('');
  });
});

describe('a skill as the model of an agent', () => {
  const tool = { name: 'Bash', input_schema: { type: 'object' } };

  it("answers without the client's tools, and says so", async () => {
    const answer = await messages({ model: 'skill/brief', messages: [question], tools: [tool], thinking: { type: 'adaptive' } });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.content).toEqual([expect.objectContaining({ type: 'text', text: 'ok' })]);
    expect(warningsOf(answer)).toContain('tools left out: a skill has its own');
    expect((await chat({ model: 'skill/brief', messages: [question], tools: [functionTool('Bash')], tool_choice: 'auto' })).status).toBe(
      200,
    );
  });

  it('refuses a forced call of one', async () => {
    const { status, json } = await chat({
      model: 'skill/brief',
      messages: [question],
      tools: [functionTool('Bash')],
      tool_choice: 'required',
    });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: 'unsupported_parameter', param: 'tool_choice' });
  });
});
