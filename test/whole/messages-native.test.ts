/** Anthropic's client with a vendor of the same format: nothing is lost. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMessage, checkMessageStream, messageEvents } from '../contract/strict-messages.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let anthropic: Anthropic;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const base = vendor.url.replace(/\/v1$/, '');
  for (const [name, spec] of Object.entries({
    native: { kind: 'anthropic', options: { base_url: base, api_key: 'vendor-key' } },
    plain: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  })) {
    const provider = await gateway.as('admin', 'POST', '/api/providers', { name, spec });
    expect(provider.status, provider.text).toBe(201);
  }
  for (const [name, deployments] of Object.entries({
    claude: [{ provider: 'native', model: 'claude-opus-4-5' }],
    // The first deployment lacks some features.
    either: [
      { provider: 'plain', model: 'plain-1' },
      { provider: 'native', model: 'claude-opus-4-5', tier: 1 },
    ],
  })) {
    const model = await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments } });
    expect(model.status, model.text).toBe(201);
  }
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: await gateway.token('developer'), maxRetries: 0 });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const usage = {
  input_tokens: 11,
  cache_creation_input_tokens: 5,
  cache_read_input_tokens: 7,
  cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 0 },
  output_tokens: 9,
  server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
  service_tier: 'priority',
};
const citation = { type: 'web_search_result_location', url: 'https://a.example/', title: 'A', encrypted_index: 'x', cited_text: 'c' };
const content = [
  { type: 'thinking', thinking: 'hm, 苏州', signature: 's1' },
  { type: 'redacted_thinking', data: 'hidden' },
  { type: 'text', text: 'I search.' },
  { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: '天气' } },
  { type: 'web_search_tool_result', tool_use_id: 'srv_1', content: [{ type: 'web_search_result', url: 'https://a.example/', title: 'A' }] },
  { type: 'text', text: 'Rain', citations: [citation] },
  { type: 'text', text: ' today.' },
  { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: '苏州' }, caller: { type: 'direct' } },
  { type: 'tool_use', id: 'toolu_2', name: 'clock', input: {} },
];
const message = {
  id: 'msg_vendor',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-5',
  content,
  stop_reason: 'tool_use',
  stop_sequence: null,
  container: { id: 'container_1', expires_at: '2026-01-01T00:00:00Z' },
  context_management: { applied_edits: [] },
  usage,
};

/** The same message as Anthropic's stream, in small chunks. */
function stream(): string {
  const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const begin = { ...message, content: [], stop_reason: null, container: null, usage: { ...usage, output_tokens: 1 } };
  const deltas: Record<string, (block: (typeof content)[number]) => object[]> = {
    thinking: (block) => [
      ...Array.from(block.thinking ?? '').map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature: block.signature },
    ],
    text: (block) => [
      ...(block.citations ?? []).map((each) => ({ type: 'citations_delta', citation: each })),
      ...Array.from(block.text ?? '').map((text) => ({ type: 'text_delta', text })),
    ],
    tool_use: (block) =>
      Object.keys(block.input ?? {}).length === 0
        ? [{ type: 'input_json_delta', partial_json: '' }]
        : Array.from(JSON.stringify(block.input)).map((partial) => ({ type: 'input_json_delta', partial_json: partial })),
  };
  deltas['server_tool_use'] = deltas['tool_use'] ?? (() => []);
  const empty: Record<string, object> = {
    thinking: { thinking: '', signature: '' },
    text: { text: '' },
    tool_use: { input: {} },
    server_tool_use: { input: {} },
  };
  return [
    event('message_start', { message: begin }),
    event('ping', {}),
    ...content.flatMap((block, index) => {
      const { citations: _later, ...first } = block;
      return [
        event('content_block_start', { index, content_block: { ...first, ...empty[block.type] } }),
        ...(deltas[block.type]?.(block) ?? []).map((delta) => event('content_block_delta', { index, delta })),
        event('content_block_stop', { index }),
      ];
    }),
    event('message_delta', {
      delta: { stop_reason: 'tool_use', stop_sequence: null, container: message.container },
      usage,
      context_management: message.context_management,
    }),
    event('message_stop', {}),
  ].join('');
}

function answer(): void {
  vendor.behave((request, response) => {
    const streamed = request.body.stream === true;
    response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });
    response.end(streamed ? stream() : JSON.stringify(message));
  });
}

const asked = {
  model: 'claude',
  max_tokens: 2_000,
  system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'Weather?', cache_control: { type: 'ephemeral' } }] },
    { role: 'assistant', content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: [{ type: 'text', text: 'no' }] }] },
  ],
  tools: [
    { type: 'web_search_20250305', name: 'web_search', max_uses: 3 },
    { name: 'weather', input_schema: { type: 'object' }, input_examples: [{ city: 'x' }], cache_control: { type: 'ephemeral' } },
  ],
  thinking: { type: 'enabled', budget_tokens: 1_500 },
  metadata: { user_id: 'u'.repeat(100) },
  context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
  service_tier: 'auto',
  tomorrow: { of: 'ours' },
};

describe('a vendor of the same format', () => {
  it('gets exactly the client’s request, with its beta headers, its own model name and key', async () => {
    answer();
    const betas = { 'anthropic-beta': 'context-management-2025-06-27,tomorrow-1', 'anthropic-version': '2023-06-01' };
    const whole = await gateway.as('developer', 'POST', '/v1/messages?beta=true', asked, betas);
    expect(whole.status, whole.text).toBe(200);
    expect(whole.headers.get('x-pailou-warnings')).toBeNull();
    const sent = vendor.requests.at(-1);
    expect(sent?.body).toEqual({ ...asked, model: 'claude-opus-4-5', stream: false });
    expect(sent?.headers).toMatchObject({
      'x-api-key': 'vendor-key',
      'anthropic-beta': betas['anthropic-beta'],
      'anthropic-version': '2023-06-01',
    });
    expect(sent?.headers.authorization).toBeUndefined();
  });

  it('answers whole, and every block, citation and count reaches the client', async () => {
    answer();
    const whole = await gateway.as('developer', 'POST', '/v1/messages', asked);
    expect(checkMessage(whole.json)).toEqual([]);
    const { id: _ours, ...rest } = whole.json;
    const { id: _theirs, ...said } = { ...message, model: 'claude' };
    expect(rest).toEqual({ ...said, stop_details: null });
  });

  it('answers as a stream, and the client assembles the same message', async () => {
    answer();
    const streamed = await gateway.as('developer', 'POST', '/v1/messages', { ...asked, stream: true });
    expect(checkMessageStream(streamed.text)).toEqual([]);
    expect(messageEvents(streamed.text).at(-2)?.data).toMatchObject({ usage, context_management: message.context_management });
    const final = await anthropic.messages.stream({ ...asked } as unknown as Anthropic.MessageStreamParams).finalMessage();
    // The client adds optional fields of a block.
    expect(final.content).toMatchObject(content);
    expect(final.content.length).toBe(content.length);
    expect(final).toMatchObject({
      stop_reason: 'tool_use',
      container: message.container,
      usage: { cache_read_input_tokens: 7, output_tokens: 9 },
    });
  });

  it('never gets the reasoning of another vendor', async () => {
    answer();
    const foreign = { type: 'thinking', thinking: 'of another', signature: '' };
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [foreign, { type: 'text', text: 'Yes' }] },
      { role: 'user', content: 'So?' },
    ];
    await gateway.as('developer', 'POST', '/v1/messages', { model: 'claude', max_tokens: 10, messages });
    expect(vendor.requests.at(-1)?.body.messages[1].content).toEqual([{ type: 'text', text: 'Yes' }]);
  });

  it('serves requests that another deployment of the model cannot', async () => {
    answer();
    const before = vendor.requests.length;
    const whole = await gateway.as('developer', 'POST', '/v1/messages', { ...asked, model: 'either' });
    expect(whole.status, whole.text).toBe(200);
    expect(whole.headers.get('x-pailou-deployment')).toBe('either#native/claude-opus-4-5');
    expect(vendor.requests.slice(before).map(({ path }) => path)).toEqual(['/v1/messages']);
    vendor.behave(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunks(['plain']).join('')),
    );
    const simple = await gateway.as('developer', 'POST', '/v1/messages', {
      model: 'either',
      max_tokens: 5,
      stream: true,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(simple.headers.get('x-pailou-deployment')).toBe('either#plain/plain-1');
    expect(checkMessageStream(simple.text)).toEqual([]);
  });

  it('answers the other client formats too, and gets its signed thinking back', async () => {
    answer();
    const first = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'claude',
      messages: [{ role: 'user', content: 'Weather?' }],
      reasoning_effort: 'high',
      max_tokens: 20_000,
      tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
    });
    expect(first.status, first.text).toBe(200);
    const said = first.json.choices[0].message;
    expect(said.tool_calls.map((call: { id: string }) => call.id)).toEqual(['toolu_1', 'toolu_2']);
    await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'claude',
      max_tokens: 20_000,
      reasoning_effort: 'high',
      messages: [
        { role: 'user', content: 'Weather?' },
        said,
        { role: 'tool', tool_call_id: 'toolu_1', content: 'rain' },
        { role: 'tool', tool_call_id: 'toolu_2', content: '12:00' },
      ],
      tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
    });
    const back = vendor.requests.at(-1)?.body.messages[1].content;
    expect(back.slice(0, 2)).toEqual(content.slice(0, 2));
  });
});
