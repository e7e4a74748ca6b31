/** A client of OpenAI's Responses, and behind the gateway a vendor that speaks the same format: what the client used is kept. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const providers = { openai: 'openai', xai: 'xai', compatible: 'openai-compatible', plain: 'openai-compatible' };
  for (const [name, kind] of Object.entries(providers)) {
    const made = await gateway.as('admin', 'POST', '/api/providers', {
      name,
      spec: { kind, options: { base_url: vendor.url, api_key: 'k' } },
    });
    expect(made.status, made.text).toBe(201);
  }
  const responses = { api: 'responses' };
  const models = {
    openai: [{ provider: 'openai', model: 'gpt-6-sol' }],
    xai: [{ provider: 'xai', model: 'grok-4', ...responses }],
    compatible: [{ provider: 'compatible', model: 'm', ...responses }],
    // The first of them has no tools of OpenAI.
    either: [
      { provider: 'plain', model: 'm' },
      { provider: 'openai', model: 'gpt-6-sol', tier: 1 },
    ],
  };
  for (const [name, deployments] of Object.entries(models))
    expect((await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments } })).status).toBe(201);
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

type Item = Readonly<Record<string, unknown>>;

const last = (): VendorRequest => vendor.requests.at(-1) as VendorRequest;
const usage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 3 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 14,
};

const citation = { type: 'file_citation', file_id: 'f', filename: 'a.pdf', index: 0 };
const rich: readonly Item[] = [
  { id: 'rs_v', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'sealed' },
  { id: 'ws_v', type: 'web_search_call', status: 'completed', action: { type: 'search', query: '天气' } },
  {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    phase: 'commentary',
    content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
  },
  {
    id: 'msg_2',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    phase: 'final_answer',
    content: [{ type: 'output_text', text: 'Rain', annotations: [citation] }],
  },
  { id: 'fc_v', type: 'function_call', status: 'completed', call_id: 'c1', namespace: 'agents', name: 'spawn', arguments: '{"a":1}' },
  { id: 'ctc_v', type: 'custom_tool_call', status: 'completed', call_id: 'c2', name: 'apply_patch', input: '*** Begin' },
  {
    id: 'sh_v',
    type: 'shell_call',
    status: 'completed',
    call_id: 'c3',
    action: { commands: ['ls'], timeout_ms: null, max_output_length: null },
    environment: { type: 'local' },
  },
];

/** The vendor answers these items, streamed where a stream is asked for. */
function play(items: readonly Item[]): void {
  vendor.behave((request, response) => {
    if (request.path.endsWith('/chat/completions')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion('plain'));
      return;
    }
    const whole = { id: 'resp_v', object: 'response', model: 'theirs', status: 'completed', error: null, output: items, usage };
    if (request.body.stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole));
      return;
    }
    const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event('response.created', { response: { ...whole, status: 'in_progress', output: [] } }));
    items.forEach((item, index) => {
      const place = { output_index: index };
      response.write(
        event('response.output_item.added', { ...place, item: { ...item, ...(item['type'] === 'message' ? { content: [] } : {}) } }),
      );
      for (const part of item['type'] === 'message' ? (item['content'] as { text: string; annotations: object[] }[]) : []) {
        for (const delta of part.text)
          response.write(event('response.output_text.delta', { ...place, content_index: 0, delta, logprobs: [] }));
        for (const annotation of part.annotations) response.write(event('response.output_text.annotation.added', { ...place, annotation }));
      }
      response.write(event('response.output_item.done', { ...place, item }));
    });
    response.end(event('response.completed', { response: whole }));
  });
}

async function ask(body: object, stream = false, headers = {}) {
  const answer = await gateway.as(
    'developer',
    'POST',
    '/v1/responses',
    { model: 'openai', input: 'x', store: false, ...body, stream },
    headers,
  );
  expect(answer.status, answer.text).toBe(200);
  const events = [...answer.text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] as string));
  const response = stream ? events.at(-1).response : answer.json;
  return { response, output: response.output as Item[], warnings: answer.headers.get('x-pailou-warnings') ?? '' };
}

const custom = { type: 'custom', name: 'apply_patch', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } };
const tools = [
  { type: 'namespace', name: 'agents', description: 'd', tools: [{ type: 'function', name: 'spawn', parameters: {}, strict: false }] },
  custom,
  { type: 'web_search', external_web_access: true },
  { type: 'shell', environment: { type: 'local' } },
  { type: 'tool_search', execution: 'client' },
];

describe.each([false, true])('streamed: %s', (stream) => {
  it('the request is sent as the client wrote it, and its answer comes back item for item', async () => {
    play(rich);
    const given = {
      instructions: 'Be brief.',
      input: [{ role: 'user', content: '苏州?' }],
      tools,
      tool_choice: { type: 'web_search' },
      prompt_cache_key: 'thread',
      reasoning: { effort: 'low', summary: 'auto', context: 'all_turns' },
      text: { verbosity: 'low' },
      include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
      client_metadata: { thread_id: 't' },
      truncation: 'auto',
      context_management: [{ type: 'compaction', compact_threshold: 1000 }],
      metadata: { a: 'b' },
      a_field_of_next_year: [1],
    };
    const { output, warnings, response } = await ask(given, stream, { 'x-openai-internal-codex-responses-lite': 'true' });
    expect(warnings).toBe('');
    expect(last().path).toBe('/v1/responses');
    expect(last().headers['x-openai-internal-codex-responses-lite']).toBe('true');
    const { stream: streamed, ...sent } = last().body;
    expect(sent).toEqual({ ...given, model: 'gpt-6-sol', store: false });
    expect(streamed).toBe(stream ? true : undefined);
    const [reasoning, search, first, second, fn, free, shell] = output;
    expect(reasoning).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] });
    expect(search).toMatchObject({ type: 'web_search_call', action: { type: 'search', query: '天气' } });
    expect(search?.['id']).toMatch(/^ws_[0-9a-f]{36}$/);
    expect(first).toMatchObject({ phase: 'commentary', content: [{ type: 'output_text', text: 'I look.' }] });
    expect(second).toMatchObject({ phase: 'final_answer', content: [{ type: 'output_text', text: 'Rain', annotations: [citation] }] });
    expect(fn).toMatchObject({ type: 'function_call', call_id: 'c1', namespace: 'agents', name: 'spawn', arguments: '{"a":1}' });
    expect(free).toMatchObject({ type: 'custom_tool_call', call_id: 'c2', name: 'apply_patch', input: '*** Begin' });
    expect(shell).toMatchObject({ type: 'shell_call', call_id: 'c3', action: { commands: ['ls'] } });
    expect(output).toHaveLength(7);
    expect(response.usage).toMatchObject({ input_tokens: 9, output_tokens: 5 });
  });

  it('what comes back is sent on with the vendor’s own reasoning, and without ids of the gateway', async () => {
    play(rich);
    const first = await ask({ tools, include: ['reasoning.encrypted_content'] }, stream);
    const results = [
      { type: 'function_call_output', call_id: 'c1', output: 'yes' },
      { type: 'custom_tool_call_output', call_id: 'c2', output: 'done' },
      { type: 'shell_call_output', call_id: 'c3', output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }] },
    ];
    const other = {
      type: 'reasoning',
      summary: [],
      encrypted_content: `pailou.${Buffer.from('{"details":[{"format":"gemini","data":"x"}]}').toString('base64url')}`,
    };
    await ask(
      {
        tools,
        input: [
          { role: 'user', content: 'x' },
          other,
          ...first.output,
          ...results,
          { type: 'compaction', id: 'cmp_v', encrypted_content: 'of OpenAI' },
        ],
      },
      stream,
    );
    const { input } = last().body;
    expect(input[1]).toEqual({
      type: 'reasoning',
      id: 'rs_v',
      summary: [{ type: 'summary_text', text: 'hm' }],
      encrypted_content: 'sealed',
    });
    expect(input.map(({ type, role }: { type?: string; role?: string }) => type ?? role)).toEqual([
      'user',
      'reasoning',
      'web_search_call',
      'message',
      'message',
      'function_call',
      'custom_tool_call',
      'shell_call',
      'function_call_output',
      'custom_tool_call_output',
      'shell_call_output',
      'compaction',
    ]);
    for (const type of ['message', 'function_call', 'custom_tool_call', 'shell_call'])
      expect(input.find((item: { type: string }) => item.type === type)).not.toHaveProperty('id');
    expect(last().body.include).toEqual(['reasoning.encrypted_content']);
  });

  it('a response that is kept goes on with its searches and its reasoning, though the client sends neither', async () => {
    play(rich);
    const { response } = await ask({ tools, store: true }, stream);
    play([rich[2] as Item]);
    await ask(
      { tools, store: true, previous_response_id: response.id, input: [{ type: 'shell_call_output', call_id: 'c3', output: [] }] },
      stream,
    );
    const { input } = last().body;
    expect(last().body).not.toHaveProperty('previous_response_id');
    expect(input).toMatchObject([
      { role: 'user', content: 'x' },
      { type: 'reasoning', id: 'rs_v', encrypted_content: 'sealed' },
      { type: 'web_search_call' },
      { type: 'shell_call', call_id: 'c3' },
      { type: 'message', role: 'assistant' },
      { type: 'function_call', call_id: 'c1' },
      { type: 'custom_tool_call', call_id: 'c2' },
      { type: 'shell_call_output', call_id: 'c3' },
    ]);
  });

  it('a compaction is the vendor’s own', async () => {
    play([{ type: 'compaction', id: 'cmp_v', encrypted_content: 'sealed' }]);
    const input = [{ role: 'user', content: 'x' }, { type: 'compaction_trigger' }];
    const { output } = await ask({ input }, stream);
    expect(last().body.input).toEqual(input);
    expect(output).toEqual([{ type: 'compaction', id: expect.stringMatching(/^cmp_/) as string, encrypted_content: 'sealed' }]);
  });
});

it('a client that drops the reasoning before a call gets it sent on all the same', async () => {
  play(rich.filter(({ type }) => type === 'reasoning' || type === 'function_call'));
  await ask({ tools });
  const { type, call_id, name, arguments: given } = rich[4] as Item;
  await ask({
    tools,
    input: [
      { role: 'user', content: 'x' },
      { type, call_id, name, namespace: 'agents', arguments: given },
      { type: 'function_call_output', call_id, output: 'y' },
    ],
  });
  expect(last().body.input.map((item: Item) => item['type'] ?? 'user')).toEqual([
    'user',
    'reasoning',
    'function_call',
    'function_call_output',
  ]);
});

it('a vendor with a part of the format gets what it has as it is, and the rest as functions', async () => {
  play([]);
  await ask({ model: 'xai', tools: [{ type: 'web_search' }, { type: 'function', name: 'f', parameters: {} }], prompt_cache_key: 'k' });
  expect(last().body).toMatchObject({
    model: 'grok-4',
    tools: [{ type: 'web_search' }, { type: 'function', name: 'f' }],
    prompt_cache_key: 'k',
  });
  const { warnings } = await ask({ model: 'xai', tools });
  expect(last().body.tools.map(({ type, name }: Item) => [type, name])).toEqual([
    ['function', 'agents__spawn'],
    ['function', 'apply_patch'],
    ['function', 'shell'],
    ['function', 'tool_search'],
  ]);
  expect(warnings).toContain('the tool web_search left out: xai has none');
  await ask({ model: 'compatible', tools });
  expect(last().body.tools).toEqual(tools);
});

it('a tool that only OpenAI runs goes to the deployment that has it, when it must be called', async () => {
  play([rich[2] as Item]);
  await ask({ model: 'either', tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } });
  expect(last().path).toBe('/v1/responses');
  expect(last().body.tools).toEqual([{ type: 'web_search' }]);
});

it('two messages of one answer are kept apart on chat completions too', async () => {
  play(rich.filter(({ type }) => type === 'message'));
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'openai',
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(answer.json.choices[0].message.content).toBe('I look.\n\nRain');
});

it('searches of the web are counted', async () => {
  play(rich);
  const answer = await gateway.as('developer', 'POST', '/v1/responses', { model: 'openai', input: 'x', tools });
  const id = answer.headers.get('x-pailou-trace-id') ?? '';
  const searches = async () => (await gateway.as('admin', 'GET', `/api/runs/${id}`)).text;
  await expect.poll(searches).toContain('"searches":1');
});

describe('numbers that OpenAI does not take', () => {
  const f = (name: string) => ({ type: 'function', name, parameters: { type: 'object' } });
  const behave = (): void =>
    vendor.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'completed', output: [], usage }));
    });

  it('are fitted with a warning, and the forced tool stays', async () => {
    behave();
    const answer = await gateway.as('developer', 'POST', '/v1/responses', {
      model: 'openai',
      input: 'x',
      store: false,
      tools: [...Array.from({ length: 130 }, (_, index) => f(`f${index}`)), { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'f129' },
      metadata: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'v'])),
      safety_identifier: 's'.repeat(100),
    });
    expect(answer.status, answer.text).toBe(200);
    const { tools: kept, metadata, safety_identifier: identifier } = last().body;
    expect([kept.length, kept.at(-1).name, Object.keys(metadata).length, identifier.length]).toEqual([128, 'f129', 16, 64]);
    expect(answer.headers.get('x-pailou-warnings')).toMatch(
      /3 tools left out.*4 entries of metadata left out|safety_identifier sent as a digest/,
    );
  });

  it('are counted as the caller wrote them: a namespace is one tool', async () => {
    behave();
    const inner = Array.from({ length: 150 }, (_, index) => f(`f${index}`));
    const namespaces = [{ type: 'namespace', name: 'n', description: 'd', tools: inner }];
    const answer = await gateway.as('developer', 'POST', '/v1/responses', { model: 'openai', input: 'x', store: false, tools: namespaces });
    expect([answer.status, answer.headers.get('x-pailou-warnings')]).toEqual([200, null]);
    expect(last().body.tools).toEqual(namespaces);
  });
});
