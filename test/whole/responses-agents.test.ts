/** What agents send to /v1/responses: every type of tool and item is understood, translated, or left out with a warning, and none stops a turn. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const providers = {
    V: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    openai: { kind: 'openai', options: { base_url: vendor.url, api_key: 'k' } },
    claude: { kind: 'anthropic', options: { base_url: vendor.url.replace(/\/v1$/, ''), api_key: 'k' } },
  };
  for (const [name, spec] of Object.entries(providers))
    expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec })).status).toBe(201);
  for (const provider of Object.keys(providers)) {
    const spec = { deployments: [{ provider, model: provider === 'claude' ? 'claude-opus-4-5' : 'gpt-5' }] };
    expect((await gateway.as('admin', 'POST', '/api/models', { name: provider, spec })).status).toBe(201);
  }
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

interface Call {
  readonly name: string;
  readonly arguments: string;
}

const last = (): VendorRequest => vendor.requests.at(-1) as VendorRequest;
const offered = (): { type: string; function: { name: string; description?: string; parameters: unknown } }[] => last().body.tools ?? [];
const named = (name: string) => offered().find((tool) => tool.function?.name === name);

/** A vendor in the format of chat completions whose model makes these calls, or says `ok`. */
function callNext(...calls: Call[]): void {
  const toolCalls = calls.map((call, index) => ({ index, id: `call_${index}`, type: 'function', function: call }));
  const finish = calls.length === 0 ? 'stop' : 'tool_calls';
  vendor.behave((request, response) => {
    if (request.body.stream !== true) {
      const message = calls.length === 0 ? completion('ok') : completion(null, { tool_calls: toolCalls }, finish);
      response.writeHead(200, { 'content-type': 'application/json' }).end(message);
      return;
    }
    const chunk = (delta: object, reason: string | null = null): string =>
      `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (calls.length === 0) response.write(chunk({ content: 'ok' }));
    // Arguments come in pieces that cut words and escapes.
    for (const { function: called, ...call } of toolCalls) {
      response.write(chunk({ tool_calls: [{ ...call, function: { name: called.name, arguments: '' } }] }));
      for (let at = 0; at < called.arguments.length; at += 3)
        response.write(chunk({ tool_calls: [{ index: call.index, function: { arguments: called.arguments.slice(at, at + 3) } }] }));
    }
    response.end(`${chunk({}, finish)}data: [DONE]\n\n`);
  });
}

interface Told {
  readonly status: number;
  readonly warnings: string;
  // oxlint-disable-next-line no-explicit-any -- items of every shape
  readonly output: any[];
  readonly events: string[];
  readonly text: string;
}

async function ask(body: object, model = 'V', stream = false): Promise<Told> {
  const answer = await gateway.as('developer', 'POST', '/v1/responses', { model, input: 'x', store: false, ...body, stream });
  const warnings = answer.headers.get('x-pailou-warnings') ?? '';
  if (!stream || answer.status !== 200)
    return { status: answer.status, warnings, output: answer.json?.output ?? [], events: [], text: answer.text };
  const events = [...answer.text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] as string));
  const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  const end = events.at(-1);
  expect(end.type).toBe('response.completed');
  expect(end.response.output).toEqual(done);
  return { status: 200, warnings, output: done, events: events.map(({ type }) => type), text: answer.text };
}

const f = { type: 'function', name: 'f', parameters: { type: 'object' } };
const namespace = {
  type: 'namespace',
  name: 'agents',
  description: 'Other agents.',
  tools: [
    { type: 'function', name: 'spawn', parameters: { type: 'object' } },
    { type: 'custom', name: 'tell', description: 'Tells them.' },
  ],
};
const patch = '*** Begin Patch\n*** Add File: 文件.txt\n+"a\\b" 😀\n*** End Patch\n';
const grammar = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
const applyPatch = { type: 'custom', name: 'apply_patch', description: 'Edits files.', format: grammar };

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
    if (stream) expect(events).toContain('response.custom_tool_call_input.delta');
  });

  it('of free text are told back as such on chat completions too', async () => {
    callNext({ name: 'apply_patch', arguments: JSON.stringify({ input: patch }) });
    const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'V',
      messages: [{ role: 'user', content: 'x' }],
      tools: [{ type: 'custom', custom: { name: 'apply_patch', format: { type: 'text' } } }],
      stream,
    });
    expect(named('apply_patch')?.type).toBe('function');
    if (stream) {
      const parts = [...answer.text.matchAll(/"custom":(\{.*?\})\}\]\}/g)].map((match) => JSON.parse(match[1] as string));
      expect(parts.map(({ input }) => input).join('')).toBe(patch);
      expect(parts[0].name).toBe('apply_patch');
    } else
      expect(answer.json.choices[0].message.tool_calls).toEqual([
        { id: 'call_0', type: 'custom', custom: { name: 'apply_patch', input: patch } },
      ]);
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
    vendor.behave((request, response) => {
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
    const answer = await gateway.as('developer', 'POST', '/v1/responses', { model: 'V', input: 'x', tools, tool_choice: choice });
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

describe('items that come back', () => {
  const pairs: [string, object, object, object, unknown][] = [
    [
      'a call in a namespace',
      { type: 'function_call', namespace: 'agents', name: 'spawn', call_id: 'c', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'c', output: 'yes' },
      { name: 'agents__spawn', arguments: '{"a":1}' },
      'yes',
    ],
    [
      'free text',
      { type: 'custom_tool_call', name: 'apply_patch', call_id: 'c', input: patch },
      { type: 'custom_tool_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'done' }] },
      { name: 'apply_patch', arguments: JSON.stringify({ input: patch }) },
      'done',
    ],
    [
      'a search for tools',
      { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: { query: 'mail' } },
      { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [{ ...namespace, name: 'mail' }] },
      { name: 'tool_search', arguments: '{"query":"mail"}' },
      '{"tools":[{"name":"spawn"},{"name":"tell","description":"Tells them."}]}',
    ],
    [
      'a local shell',
      { type: 'local_shell_call', id: 'l', call_id: 'c', status: 'completed', action: { type: 'exec', command: ['ls'], env: {} } },
      { type: 'local_shell_call_output', id: 'c', output: 'a.txt' },
      { name: 'local_shell', arguments: '{"command":["ls"],"env":{}}' },
      'a.txt',
    ],
    [
      'a shell',
      { type: 'shell_call', call_id: 'c', action: { commands: ['ls'], timeout_ms: null } },
      { type: 'shell_call_output', call_id: 'c', output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }] },
      { name: 'shell', arguments: '{"commands":["ls"]}' },
      '[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]',
    ],
    [
      'a patch',
      { type: 'apply_patch_call', call_id: 'c', status: 'completed', operation: { type: 'delete_file', path: 'a' } },
      { type: 'apply_patch_call_output', call_id: 'c', status: 'failed' },
      { name: 'apply_patch', arguments: '{"type":"delete_file","path":"a"}' },
      'Failed.',
    ],
  ];
  it.each(pairs)('%s is a call and its result', async (_name, call, result, wanted, content) => {
    callNext();
    const { status, warnings } = await ask({ input: [{ role: 'user', content: 'x' }, call, result] });
    expect([status, warnings]).toEqual([200, '']);
    expect(last().body.messages.slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: wanted }] },
      { role: 'tool', tool_call_id: 'c', content },
    ]);
  });

  it('tools that a search found, and those of additional_tools, are offered', async () => {
    callNext({ name: 'mail__spawn', arguments: '{}' });
    const found = { ...namespace, name: 'mail' };
    const { output } = await ask({
      input: [
        {
          type: 'additional_tools',
          role: 'developer',
          tools: [{ ...namespace, name: 'functions', description: '' }, { type: 'web_search' }],
        },
        { role: 'user', content: 'x' },
        { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: {} },
        { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [found] },
      ],
    });
    expect(offered().map((tool) => tool.function.name)).toEqual(['spawn', 'tell', 'mail__spawn', 'mail__tell']);
    expect(output).toMatchObject([{ type: 'function_call', namespace: 'mail', name: 'spawn' }]);
  });

  it('what only OpenAI can read is left out with a warning, and the rest is asked', async () => {
    callNext();
    const { status, warnings } = await ask({
      input: [
        { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
        { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['q'] },
        { type: 'code_interpreter_call', id: 'ci_1', status: 'completed', code: '1', container_id: 'c', outputs: [] },
        { type: 'image_generation_call', id: 'ig_1', status: 'failed', result: null },
        { type: 'tool_search_call', call_id: null, execution: 'server', arguments: {} },
        { type: 'tool_search_output', call_id: null, execution: 'server', tools: [f] },
        { type: 'program', id: 'p', call_id: 'c', code: '1', fingerprint: 'f' },
        { type: 'compaction', encrypted_content: 'of OpenAI' },
        { type: 'a_type_of_next_year', id: 'n' },
        { type: 'configuration_update', reasoning: { effort: 'high' } },
        {
          type: 'agent_message',
          author: '/root',
          recipient: '/root/sub',
          content: [
            { type: 'input_text', text: 'Task: ' },
            { type: 'encrypted_content', encrypted_content: 'say hi' },
          ],
        },
        { role: 'user', content: 'x' },
      ],
      client_metadata: { thread_id: 't' },
    });
    expect(status).toBe(200);
    for (const type of [
      'web_search_call',
      'file_search_call',
      'code_interpreter_call',
      'tool_search_call',
      'program',
      'compaction',
      'a_type_of_next_year',
    ])
      expect(warnings).toContain(`the item ${type} left out: V has none`);
    expect(last().body.messages).toEqual([
      { role: 'user', content: 'Task: say hi' },
      { role: 'user', content: 'x' },
    ]);
    expect(last().body.reasoning_effort).toBe('high');
    expect(last().body).not.toHaveProperty('client_metadata');
    expect(offered().map((tool) => tool.function.name)).toEqual(['f']);
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
    vendor.behave((_request, response) => {
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
  const asked = httpRequest(`${gateway.url}/v1/responses`, {
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
