/** Tools and items of agents beyond those of Codex: the Agents SDK, the ai SDK, and clients that write JSON of their own. None stops a turn. */
import { createOpenAI, openai } from '@ai-sdk/openai';
import { isStepCount, streamText } from 'ai';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask, callNext, f, last, named, offered, scene, useAgentScene } from './agent-scene.ts';

useAgentScene();

beforeAll(async () => {
  const spec = { deployments: [{ provider: 'openai', model: 'gpt-5', api: 'responses' }] };
  expect((await scene.gateway.as('admin', 'POST', '/api/models', { name: 'native', spec })).status).toBe(201);
});

const foreign = { type: 'mcp', server_label: 'gitmcp', server_url: 'https://gitmcp.io/openai/codex', require_approval: 'never' };
const user = { role: 'user', content: 'x' };
const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' };

describe('tools', () => {
  it.each([
    ['an MCP server by its address', foreign, 'mcp with an address'],
    ['a connector', { type: 'mcp', server_label: 'mail', connector_id: 'connector_gmail', authorization: 'secret' }, 'mcp with an address'],
    ['a tool of OpenAI in a namespace', { type: 'namespace', name: 'n', tools: [{ type: 'web_search' }, f] }, 'web_search'],
  ])('%s is left out with a warning', async (_name, tool, what) => {
    callNext();
    const { status, warnings } = await ask({ tools: [{ ...f, name: 'g' }, tool] });
    expect([status, warnings]).toEqual([200, `the tool ${what} left out: V has none`]);
    expect(named('g')).toBeDefined();
    expect(JSON.stringify(last().body)).not.toMatch(/gitmcp|secret|web_search/);
  });

  it('an MCP server by its address does not reach OpenAI either', async () => {
    scene.vendor.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'completed', output: [] }));
    });
    const { status, warnings } = await ask({ tools: [f, foreign, { type: 'web_search' }] }, 'native');
    expect([status, warnings]).toEqual([200, 'the tool mcp with an address left out: openai has none']);
    expect(last().body.tools).toEqual([f, { type: 'web_search' }]);
  });

  it('an MCP server by its address is refused where the request forces it', async () => {
    const { status, text } = await ask({ tools: [f, foreign], tool_choice: { type: 'mcp', server_label: 'gitmcp' } });
    expect([status, JSON.parse(text).error.param]).toEqual([400, 'tool_choice']);
  });

  it.each([
    ['first', [{ type: 'shell' }, { type: 'function', name: 'shell', parameters: { type: 'object' } }]],
    ['last', [{ type: 'function', name: 'shell', parameters: { type: 'object' } }, { type: 'shell' }]],
  ])('a shell of the client beside a function of that name: %s', async (_name, tools) => {
    callNext();
    await ask({ tools });
    const names = offered().map((tool) => tool.function.name);
    expect(new Set(names).size).toBe(2);
    const types = tools.map(({ type }) => (type === 'shell' ? 'shell_call' : 'function_call'));
    callNext(
      { name: names[0] as string, arguments: '{"commands":["ls"]}' },
      { name: names[1] as string, arguments: '{"commands":["ls"]}' },
    );
    const { output } = await ask({ tools });
    expect(output.map(({ type }) => type)).toEqual(types);
    expect(output.find(({ type }) => type === 'function_call').name).toBe('shell');
  });

  it('a deferred tool is called in the namespace of its own name, as a search of OpenAI does', async () => {
    const tools = [{ ...f, defer_loading: true }, { ...f, name: 'g' }, { type: 'tool_search' }];
    callNext({ name: 'f', arguments: '{"a":1}' }, { name: 'g', arguments: '{}' });
    const { output } = await ask({ tools });
    expect(output).toMatchObject([
      { type: 'function_call', name: 'f', namespace: 'f', arguments: '{"a":1}' },
      { type: 'function_call', name: 'g' },
    ]);
    expect(output[1]).not.toHaveProperty('namespace');
    callNext();
    await ask({ tools, input: [user, output[0], { type: 'function_call_output', call_id: output[0].call_id, output: 'y' }] });
    expect(last().body.messages[1].tool_calls[0].function.name).toBe('f');
  });

  it('a deferred tool keeps its namespace where OpenAI has called it', async () => {
    const called = { ...call, id: 'fc_1', namespace: 'f' };
    scene.vendor.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'completed', output: [called] }));
    });
    const { output } = await ask({ tools: [{ ...f, defer_loading: true }, { type: 'tool_search' }] }, 'native');
    expect(output).toMatchObject([{ type: 'function_call', name: 'f', namespace: 'f' }]);
  });
});

describe('the ai SDK', () => {
  const editor = { execute: async () => ({ status: 'completed' as const, output: 'gone' }) };
  const shells = { execute: async () => ({ output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit' as const, exitCode: 0 } }] }) };
  it.each([
    ['apply_patch', openai.tools.applyPatch(editor), '{"type":"delete_file","path":"a"}', 'gone'],
    ['shell', openai.tools.shell(shells), '{"commands":["ls"]}', '"stdout":"a"'],
    ['local_shell', openai.tools.localShell({ execute: async () => ({ output: 'b' }) }), '{"command":["ls"]}', 'b'],
    ['plan', openai.tools.customTool({ description: 'd', execute: async (given) => `I read ${given}` }), '{"input":"c"}', 'I read c'],
  ])('runs %s and sends its result back, streamed', async (name, tool, args, wanted) => {
    callNext({ name, arguments: args });
    const model = createOpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: await scene.gateway.token('developer') }).responses('V');
    const errors: unknown[] = [];
    const prepareStep = ({ stepNumber }: { stepNumber: number }) => {
      if (stepNumber > 0) callNext();
      return {};
    };
    const answer = streamText({
      model,
      prompt: 'x',
      tools: { [name]: tool },
      stopWhen: isStepCount(2),
      prepareStep,
      onError: ({ error }) => void errors.push(error),
    });
    expect([await answer.text, errors]).toEqual(['ok', []]);
    expect(last().body.messages.at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining(wanted) });
  });

  it('reads a call before a text, in order', async () => {
    callNext({ name: 'apply_patch', arguments: '{"type":"delete_file","path":"a"}' }, { name: 'shell', arguments: '{"commands":["ls"]}' });
    const { text } = await ask({ tools: [{ type: 'apply_patch' }, { type: 'shell' }] }, 'V', true);
    const begun = [...text.matchAll(/^data: (.*)$/gm)]
      .map(([, data]) => JSON.parse(data as string))
      .filter(({ type }) => type.endsWith('added'));
    expect(begun.map(({ output_index, item }) => [output_index, item.operation ?? item.action.commands])).toEqual([
      [0, { type: 'delete_file', path: 'a' }],
      [1, ['ls']],
    ]);
  });
});

describe('items', () => {
  it.each([
    ['no output', undefined, ''],
    ['an output of null', null, ''],
    ['an output that is an object', { a: [1] }, '{"a":[1]}'],
    [
      'a part of a later year',
      [
        { type: 'input_text', text: 'y' },
        { type: 'input_hologram', data: 'z' },
      ],
      'y',
    ],
  ])('a result with %s is a result', async (_name, output, wanted) => {
    callNext();
    const { status, warnings } = await ask({ tools: [f], input: [user, call, { type: 'function_call_output', call_id: 'c', output }] });
    expect([status, last().body.messages[2].content]).toEqual([200, wanted]);
    expect(warnings).toBe(Array.isArray(output) ? 'the content input_hologram left out: V has none' : '');
  });

  it('arguments that are an object are kept', async () => {
    callNext();
    await ask({ input: [user, { ...call, arguments: { a: 1 } }, { type: 'function_call_output', call_id: 'c', output: 'y' }] });
    expect(last().body.messages[1].tool_calls[0].function.arguments).toBe('{"a":1}');
  });

  it('reasoning of a turn that was cut off, and an answer without content, make no empty message', async () => {
    callNext();
    const input = [user, { type: 'reasoning', id: 'rs_1', summary: [] }, user, { type: 'message', role: 'assistant', content: null }, user];
    expect((await ask({ input })).status).toBe(200);
    expect(last().body.messages).toEqual([user, user, { role: 'assistant', content: '' }, user]);
  });

  it('a file by its address is refused by name, and reaches OpenAI', async () => {
    const input = [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://a.example/a.pdf' }] }];
    const { status, text } = await ask({ input });
    expect([status, JSON.parse(text).error.param]).toEqual([400, 'input[0].content[0].file_url']);
    scene.vendor.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'completed', output: [] }));
    });
    expect((await ask({ input }, 'native')).status).toBe(200);
    expect(last().body.input).toEqual(input);
  });

  it('a search result with tools that only OpenAI runs is read', async () => {
    callNext();
    const tools = [{ type: 'namespace', name: 'n', tools: [{ type: 'web_search' }, f] }, foreign];
    const { status } = await ask({
      input: [
        user,
        { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: {} },
        { type: 'tool_search_output', call_id: 'c', execution: 'client', tools },
      ],
    });
    expect([status, offered().map((tool) => tool.function.name)]).toEqual([200, ['n__f']]);
  });
});
