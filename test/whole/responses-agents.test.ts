/** What agents send to /v1/responses: every type of tool is understood, translated, or left out with a warning, and none stops a turn. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { applyPatch, ask, callNext, f, last, named, namespace, offered, patch, scene, useAgentScene } from './agent-scene.ts';
import { completion } from './vendor.ts';

useAgentScene();

describe.each([false, true])('tools, streamed: %s', (stream) => {
  it('of namespaces are offered flat and told back with their namespace; what runs at OpenAI is left out with a warning', async () => {
    callNext(
      { name: 'agents__spawn', arguments: '{"a":1}' },
      { name: 'f', arguments: '{}' },
      { name: 'agents__tell', arguments: '{"input":"hi"}' },
    );
    const tools = [f, namespace, { type: 'web_search' }, { type: 'tool_search' }];
    const { status, warnings, output } = await ask({ tools }, 'V', stream);
    expect(status).toBe(200);
    expect(warnings).toBe('the tool web_search left out: V has none');
    expect(offered().map((tool) => tool.function.name)).toEqual(['f', 'agents__spawn', 'agents__tell', 'tool_search']);
    expect(named('agents__spawn')?.function.description).toBe('agents: Other agents.');
    expect(output).toMatchObject([
      { type: 'function_call', namespace: 'agents', name: 'spawn', arguments: '{"a":1}', call_id: 'call_0' },
      { type: 'function_call', name: 'f', arguments: '{}' },
      { type: 'custom_tool_call', namespace: 'agents', name: 'tell', input: 'hi' },
    ]);
    expect(output[1]).not.toHaveProperty('namespace');
  });

  it.each([
    ['{"input": ', patch],
    ['{"patch":', patch],
    ['', patch],
  ])('of free text are functions with one text field, and what the model wrote as %s… comes back raw', async (head, text) => {
    callNext({ name: 'apply_patch', arguments: head === '' ? text : `${head}${JSON.stringify(text)}}` });
    const { output, events } = await ask({ tools: [applyPatch] }, 'V', stream);
    expect(named('apply_patch')?.function).toEqual({
      name: 'apply_patch',
      description: 'Edits files.\n\nThe input must match this lark grammar:\nstart: "x"',
      parameters: {
        type: 'object',
        properties: { input: { type: 'string', description: 'The input of the tool as plain text.' } },
        required: ['input'],
        additionalProperties: false,
      },
    });
    expect(output).toMatchObject([{ type: 'custom_tool_call', call_id: 'call_0', name: 'apply_patch', input: text }]);
    expect(events.includes('response.custom_tool_call_input.delta')).toBe(stream);
  });

  it('of free text are told back as such on chat completions too', async () => {
    callNext({ name: 'apply_patch', arguments: JSON.stringify({ input: patch }) });
    const answer = await scene.gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'V',
      messages: [{ role: 'user', content: 'x' }],
      tools: [{ type: 'custom', custom: { name: 'apply_patch', format: { type: 'text' } } }],
      stream,
    });
    expect(named('apply_patch')?.type).toBe('function');
    const parts = stream
      ? [...answer.text.matchAll(/"custom":(\{.*?\})\}\]\}/g)].map((match) => JSON.parse(match[1] as string))
      : answer.json.choices[0].message.tool_calls.map((call: { custom: object }) => call.custom);
    expect(parts.map(({ input }: { input: string }) => input).join('')).toBe(patch);
    expect(parts[0].name).toBe('apply_patch');
  });

  it.each([
    [
      { type: 'tool_search', execution: 'client' },
      'tool_search',
      { query: 'mail' },
      { type: 'tool_search_call', execution: 'client', arguments: { query: 'mail' } },
    ],
    [
      { type: 'local_shell' },
      'local_shell',
      { command: ['ls', '-l'], working_directory: '/w' },
      { type: 'local_shell_call', action: { type: 'exec', command: ['ls', '-l'], env: {}, working_directory: '/w' } },
    ],
    [
      { type: 'shell', environment: { type: 'local' } },
      'shell',
      { commands: ['ls'] },
      { type: 'shell_call', action: { commands: ['ls'], timeout_ms: null, max_output_length: null } },
    ],
    [
      { type: 'apply_patch' },
      'apply_patch',
      { type: 'create_file', path: 'a', diff: '+x' },
      { type: 'apply_patch_call', operation: { type: 'create_file', path: 'a', diff: '+x' } },
    ],
    [
      { type: 'computer' },
      'computer',
      { actions: [{ type: 'click', x: 1, y: 2 }] },
      { type: 'computer_call', actions: [{ type: 'click', x: 1, y: 2 }], pending_safety_checks: [] },
    ],
  ])('that the client runs (%j) are functions, and calls of them are items of their own type', async (tool, name, given, item) => {
    callNext({ name, arguments: JSON.stringify(given) });
    const { output, warnings } = await ask({ tools: [tool] }, 'V', stream);
    expect(warnings).toBe('');
    expect(named(name)?.function.parameters).toMatchObject({ type: 'object' });
    expect(output).toMatchObject([{ ...item, call_id: 'call_0', status: 'completed' }]);
  });

  it('a conversation that ends with compaction_trigger is answered by one compaction item, which a later input carries', async () => {
    scene.vendor.behave((request, response) => {
      const text = 'They want 3 files.';
      const chunk = (delta: object, reason: string | null): string =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
      if (request.body.stream === true) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`${chunk({ content: text }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`);
      } else response.writeHead(200, { 'content-type': 'application/json' }).end(completion(text));
    });
    const input = [{ role: 'user', content: 'Make 3 files.' }, { type: 'compaction_trigger' }];
    const { output } = await ask({ input, tools: [f], instructions: 'Be brief.' }, 'V', stream);
    expect(output).toEqual([
      { id: expect.stringMatching(/^cmp_/) as string, type: 'compaction', encrypted_content: expect.any(String) as string },
    ]);
    expect(last().body.tools).toBeUndefined();
    expect(last().body.messages.map(({ role }: { role: string }) => role)).toEqual(['system', 'user', 'user']);
    expect(last().body.messages[2].content).toContain('summary of this conversation');
    await ask({ input: [...output, { role: 'user', content: 'Go on.' }] }, 'V', stream);
    expect(last().body.messages).toEqual([
      { role: 'user', content: expect.stringMatching(/earlier conversation[^]*They want 3 files\./) as string },
      { role: 'user', content: 'Go on.' },
    ]);
  });
});

describe('the choice', () => {
  it.each([
    [{ type: 'web_search' }],
    [{ type: 'allowed_tools', mode: 'required', tools: [{ type: 'file_search' }] }],
    ['required', [{ type: 'web_search' }]],
  ])('%j of a tool that runs at OpenAI is refused by name', async (choice, tools: object[] = [f, { type: 'web_search' }]) => {
    callNext();
    const answer = await scene.gateway.as('developer', 'POST', '/v1/responses', { model: 'V', input: 'x', tools, tool_choice: choice });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 'unsupported_parameter', param: 'tool_choice' });
    expect(answer.json.error.message).toMatch(/V has no tool (web|file)_search that runs at OpenAI/);
  });

  it.each([
    [
      { type: 'function', name: 'spawn' },
      { type: 'function', function: { name: 'agents__spawn' } },
    ],
    [
      { type: 'function', namespace: 'agents', name: 'spawn' },
      { type: 'function', function: { name: 'agents__spawn' } },
    ],
    [
      { type: 'custom', name: 'apply_patch' },
      { type: 'function', function: { name: 'apply_patch' } },
    ],
    [{ type: 'shell' }, { type: 'function', function: { name: 'shell' } }],
    ['required', 'required'],
    [{ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'web_search' }] }, 'none'],
  ])('%j becomes %j', async (choice, wanted) => {
    callNext();
    const tools = [f, namespace, applyPatch, { type: 'shell' }, { type: 'web_search' }];
    expect((await ask({ tools, tool_choice: choice })).status).toBe(200);
    expect(last().body.tool_choice).toEqual(wanted);
  });
});

describe('other vendors', () => {
  it('OpenAI itself gets free-text tools as they are', async () => {
    callNext();
    await ask(
      {
        tools: [applyPatch],
        input: [
          { role: 'user', content: 'x' },
          ...(['custom_tool_call', 'custom_tool_call_output'] as const).map((type) => ({
            type,
            call_id: 'c',
            name: 'apply_patch',
            input: 'a',
            output: 'b',
          })),
        ],
      },
      'openai',
    );
    expect(last().body.tools).toEqual([
      {
        type: 'custom',
        custom: {
          name: 'apply_patch',
          description: 'Edits files.',
          format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } },
        },
      },
    ]);
    expect(last().body.messages[1].tool_calls).toEqual([{ id: 'c', type: 'custom', custom: { name: 'apply_patch', input: 'a' } }]);
  });

  it('Anthropic gets the same tools, and its calls come back in the same items', async () => {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const content = [
      { type: 'tool_use', id: 't0', name: 'agents__spawn', input: {} },
      { type: 'tool_use', id: 't1', name: 'apply_patch', input: { input: patch } },
    ];
    scene.vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          id: 'm',
          type: 'message',
          role: 'assistant',
          model: 'c',
          content,
          stop_reason: 'tool_use',
          stop_sequence: null,
          usage,
        }),
      );
    });
    const { output } = await ask({ tools: [namespace, applyPatch] }, 'claude');
    expect(last().body.tools.map(({ name }: { name: string }) => name)).toEqual(['agents__spawn', 'agents__tell', 'apply_patch']);
    expect(output).toMatchObject([
      { type: 'function_call', namespace: 'agents', name: 'spawn' },
      { type: 'custom_tool_call', name: 'apply_patch', input: patch },
    ]);
  });
});

it('an upgrade to a WebSocket is answered at once: there is none, use POST', async () => {
  const asked = httpRequest(`${scene.gateway.url}/v1/responses`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  }).end();
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { statusCode: number; headers: Record<string, string> }];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  expect(response.statusCode).toBe(426);
  expect(response.headers['upgrade']).toBe('HTTP/1.1');
  expect(JSON.parse(Buffer.concat(parts).toString()).error).toMatchObject({ code: 'websocket_unsupported' });
});
