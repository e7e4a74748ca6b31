/** The peculiarities of vendors' answers in their own formats. */
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { openaiShapes } from './openai-shapes.ts';
import { cityText, data, json, sse, type VendorShape, weather } from './vendor-shape.ts';

/** Events with their names, as Anthropic writes them. */
const named = (...parts: readonly { readonly type: string }[]) => sse(parts.map((part) => `event: ${part.type}\n${data(part)}`).join(''));
const lines = (...parts: readonly object[]): Pick<VendorShape, 'type' | 'body'> => ({
  type: 'application/x-ndjson',
  body: Buffer.from(parts.map((part) => `${JSON.stringify(part)}\n`).join('')),
});

const start = (input: number, more: object = {}) => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'theirs',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: 1, ...more },
  },
});
const block = (index: number, content: object, ...deltas: readonly object[]) => [
  { type: 'content_block_start', index, content_block: content },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const end = (reason: string, usage: object) => [
  { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
];

const anthropicShapes: readonly VendorShape[] = [
  {
    about: 'pings, a signed thought, and counts that the last event corrects',
    kind: 'anthropic',
    ...named(
      start(43),
      { type: 'ping' },
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Hm.' },
        { type: 'signature_delta', signature: 'c2ln' },
      ),
      ...block(1, { type: 'text', text: '' }, { type: 'text_delta', text: '5 ' }, { type: 'text_delta', text: '÷ 5' }),
      ...end('end_turn', { input_tokens: 61, output_tokens: 9 }),
    ),
    heard: { thought: 'Hm.', text: '5 ÷ 5', usage: [61, 9] },
  },
  {
    about: 'a call without arguments behind a text, and cache counts',
    kind: 'anthropic',
    ...named(
      start(3, { cache_creation_input_tokens: 10, cache_read_input_tokens: 20 }),
      ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'I look.' }),
      ...block(1, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }, { type: 'input_json_delta', partial_json: '' }),
      ...end('tool_use', { output_tokens: 8 }),
    ),
    heard: { text: 'I look.', calls: [{ name: 'weather', input: {} }], end: 'tool_calls', usage: [33, 8] },
  },
  {
    about: 'a refusal without any block',
    kind: 'anthropic',
    ...named(start(18), ...end('refusal', { output_tokens: 5 })),
    heard: { end: 'content_filter', usage: [18, 5] },
  },
  {
    about: 'the beginning of the message twice',
    kind: 'anthropic',
    ...named(
      start(17),
      start(17),
      ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hello' }),
      ...end('end_turn', { output_tokens: 7 }),
    ),
    heard: { text: 'Hello', usage: [17, 7] },
  },
  {
    about: 'tools that ran at the vendor, and a later text',
    kind: 'anthropic',
    ...json({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'theirs',
      content: [
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'Suzhou' } },
        { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
        { type: 'text', text: 'Sunny' },
      ],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 5, output_tokens: 6, server_tool_use: { web_search_requests: 1 } },
    }),
    heard: { text: 'Sunny', usage: [5, 6] },
  },
];

const googleUsage = (prompt: number, words: number, thoughts = 0) => ({
  usageMetadata: {
    promptTokenCount: prompt,
    candidatesTokenCount: words,
    thoughtsTokenCount: thoughts,
    totalTokenCount: prompt + words + thoughts,
  },
});
const candidate = (parts: readonly object[], more: object = {}, root: object = {}): object => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, ...more }],
  modelVersion: 'theirs',
  ...root,
});

const googleShapes: readonly VendorShape[] = [
  {
    about: 'a call without an id, and STOP in a later part with an empty text',
    kind: 'gemini',
    ...sse(
      data(
        candidate([{ functionCall: { name: 'weather', args: { city: 'Suzhou' } }, thoughtSignature: 'c2ln' }], {}, googleUsage(29, 3)),
        candidate([{ text: '' }], { finishReason: 'STOP' }, googleUsage(29, 15, 893)),
      ),
    ),
    heard: { calls: weather, end: 'tool_calls', usage: [29, 908] },
  },
  {
    about: 'arguments in parts, by their paths',
    kind: 'gemini',
    ...sse(
      data(
        candidate([{ functionCall: { name: 'weather', willContinue: true } }]),
        candidate([{ functionCall: { partialArgs: [{ jsonPath: '$.city', stringValue: 'Su', willContinue: true }], willContinue: true } }]),
        candidate([{ functionCall: { partialArgs: [{ jsonPath: '$.city', stringValue: 'zhou' }], willContinue: true } }]),
        candidate([{ functionCall: {} }]),
        candidate([{ text: '' }], { finishReason: 'STOP' }, googleUsage(26, 155)),
      ),
    ),
    heard: { calls: weather, end: 'tool_calls', usage: [26, 155] },
  },
  {
    about: 'a thought, a text, and an empty text with a signature',
    kind: 'gemini',
    ...json(
      candidate(
        [{ text: 'Hm.', thought: true }, { text: 'Three' }, { text: '', thoughtSignature: 'c2ln' }],
        { finishReason: 'STOP' },
        googleUsage(9, 2, 5),
      ),
    ),
    heard: { thought: 'Hm.', text: 'Three', usage: [9, 7] },
  },
  {
    about: 'a question that was blocked, without candidates',
    kind: 'gemini',
    ...json({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 } }),
    heard: { end: 'content_filter', usage: [12, 0] },
  },
];

const alibaba = (output: object, usage: object): string =>
  `id:1\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify({ output, usage, request_id: 'r' })}\n\n`;
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text),
);
const frame = (type: string, body: object): Buffer => {
  const text = (value: string) => ({ type: 'string', value }) as const;
  const headers = { ':message-type': text('event'), ':event-type': text(type), ':content-type': text('application/json') };
  return Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(body)) }));
};

const otherShapes: readonly VendorShape[] = [
  {
    about: 'a finish reason that is the text "null", and the whole text again in every event',
    kind: 'dashscope',
    ...sse(
      alibaba({ finish_reason: 'null', text: '一' }, { input_tokens: 19, output_tokens: 1 }) +
        alibaba({ finish_reason: 'null', text: '一二' }, { input_tokens: 19, output_tokens: 2 }) +
        alibaba({ finish_reason: 'stop', text: '一二三' }, { input_tokens: 19, output_tokens: 3 }),
    ),
    heard: { text: '一二三', usage: [19, 3] },
  },
  {
    about: 'thoughts and words of a message, in increments, with counts in each event',
    kind: 'dashscope',
    ...sse(
      [
        { reasoning_content: '嗯', content: '' },
        { reasoning_content: '。', content: '' },
        { reasoning_content: '', content: '二😊' },
      ]
        .map((message) =>
          alibaba(
            { choices: [{ message: { role: 'assistant', ...message }, finish_reason: 'null' }] },
            { input_tokens: 16, output_tokens: 2 },
          ),
        )
        .join('') +
        alibaba(
          { choices: [{ message: { role: 'assistant', content: '', reasoning_content: '' }, finish_reason: 'stop' }] },
          { input_tokens: 16, output_tokens: 5 },
        ),
    ),
    heard: { thought: '嗯。', text: '二😊', usage: [16, 5] },
  },
  {
    about: 'a call in one line, its arguments an object, and the reason "stop"',
    kind: 'ollama',
    ...lines(
      {
        model: 'theirs',
        created_at: '2026-08-30T07:15:08.9Z',
        message: { role: 'assistant', content: '', tool_calls: [{ function: { name: 'weather', arguments: { city: 'Suzhou' } } }] },
        done: false,
      },
      {
        model: 'theirs',
        created_at: '2026-08-30T07:15:09.9Z',
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'stop',
        prompt_eval_count: 33,
        eval_count: 11,
      },
    ),
    heard: { calls: weather, end: 'tool_calls', usage: [33, 11] },
  },
  {
    about: 'thoughts beside an empty text, and the end by length',
    kind: 'ollama',
    ...lines(
      { model: 'theirs', message: { role: 'assistant', content: '', thinking: 'Okay,' }, done: false },
      { model: 'theirs', message: { role: 'assistant', content: 'Grüße' }, done: false },
      {
        model: 'theirs',
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'length',
        prompt_eval_count: 15,
        eval_count: 20,
      },
    ),
    heard: { thought: 'Okay,', text: 'Grüße', end: 'length', usage: [15, 20] },
  },
  {
    about: 'binary frames with a thought, a text and a call',
    kind: 'bedrock',
    type: 'application/vnd.amazon.eventstream',
    body: Buffer.concat([
      frame('messageStart', { role: 'assistant', p: 'abcd' }),
      frame('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm.' } } }),
      frame('contentBlockStop', { contentBlockIndex: 0 }),
      frame('contentBlockDelta', { contentBlockIndex: 1, delta: { text: '好' } }),
      frame('contentBlockStop', { contentBlockIndex: 1 }),
      frame('contentBlockStart', { contentBlockIndex: 2, start: { toolUse: { toolUseId: 't-1', name: 'weather' } } }),
      frame('contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: cityText } } }),
      frame('contentBlockStop', { contentBlockIndex: 2 }),
      frame('messageStop', { stopReason: 'tool_use' }),
      frame('metadata', { usage: { inputTokens: 18, outputTokens: 46, totalTokens: 64 }, metrics: { latencyMs: 5 } }),
    ]),
    heard: { thought: 'Hm.', text: '好', calls: weather, end: 'tool_calls', usage: [18, 46] },
  },
];

export const vendorShapes: readonly VendorShape[] = [...openaiShapes, ...anthropicShapes, ...googleShapes, ...otherShapes];
