/** A whole answer that cannot be decoded: the vendor bills it, so the ledger has the counts that it reports. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

/** Answers that end for a reason that no format knows, or with a call without a name. */
const answers: Readonly<Record<string, object>> = {
  'openai-compatible': {
    id: 'a',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'zzz' }],
    usage: { prompt_tokens: 321, completion_tokens: 45, prompt_tokens_details: { cached_tokens: 20 } },
  },
  anthropic: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'Yes.' }],
    stop_reason: 'zzz',
    stop_sequence: null,
    usage: { input_tokens: 301, cache_read_input_tokens: 20, output_tokens: 45 },
  },
  dashscope: {
    request_id: 'r',
    output: { choices: [{ message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'zzz' }] },
    usage: { input_tokens: 321, output_tokens: 45 },
  },
  gemini: {
    candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Yes.' }] }, finishReason: 'ZZZ' }],
    usageMetadata: { promptTokenCount: 321, candidatesTokenCount: 45, totalTokenCount: 366 },
  },
  ollama: {
    model: 'm',
    message: { role: 'assistant', content: '', tool_calls: [{ function: {} }] },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 321,
    eval_count: 45,
  },
  bedrock: {
    output: { message: { role: 'assistant', content: [{ text: 'Yes.' }] } },
    stopReason: 'zzz',
    usage: { inputTokens: 321, outputTokens: 45, totalTokens: 366 },
  },
};

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  for (const kind of Object.keys(answers)) {
    const base_url = kind === 'openai-compatible' ? vendor.url : vendor.url.replace('/v1', '');
    const options = { base_url, api_key: 'key', ...(kind === 'bedrock' ? { region: 'us-east-1' } : {}) };
    expect((await gateway.as('admin', 'POST', '/api/providers', { name: kind, spec: { kind, options } })).status).toBe(201);
    for (const operation of ['chat', 'embeddings', 'rerank']) {
      if (operation === 'rerank' && !['openai-compatible', 'dashscope'].includes(kind)) continue;
      if (operation === 'embeddings' && kind === 'anthropic') continue;
      const spec = { deployments: [{ provider: kind, model: 'theirs' }], operations: [operation] };
      const made = await gateway.as('admin', 'POST', '/api/models', { name: operation === 'chat' ? kind : `${kind}-${operation}`, spec });
      expect(made.status, made.text).toBe(201);
    }
  }
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

it.each(Object.keys(answers))('%s: the counts of an answer that is refused are in its attempt', async (kind) => {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answers[kind]));
  });
  const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', {
    model: kind,
    messages: [{ role: 'user', content: 'Is it so?' }],
  });
  expect(answer.status, answer.text).toBeGreaterThanOrEqual(500);
  const run = await eventually(
    () => gateway.as('admin', 'GET', `/api/runs/${answer.headers.get('x-pailou-trace-id')}`),
    ({ status }) => status === 200,
  );
  expect(run.json.attempts[0]).toMatchObject({ outcome: 'error', input_tokens: 321, output_tokens: 45 });
});

/** Answers without the vectors or results that were asked for. */
const lists: readonly { readonly kind: string; readonly operation: 'embeddings' | 'rerank'; readonly answer: object }[] = [
  { kind: 'openai-compatible', operation: 'embeddings', answer: { data: [], usage: { prompt_tokens: 77, total_tokens: 77 } } },
  {
    kind: 'openai-compatible',
    operation: 'embeddings',
    answer: { data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 77, total_tokens: 77 } },
  },
  { kind: 'openai-compatible', operation: 'rerank', answer: { results: [{}], usage: { prompt_tokens: 77, total_tokens: 77 } } },
  { kind: 'dashscope', operation: 'embeddings', answer: { output: {}, usage: { total_tokens: 77 } } },
  { kind: 'dashscope', operation: 'rerank', answer: { output: {}, usage: { total_tokens: 77 } } },
  { kind: 'gemini', operation: 'embeddings', answer: { embeddings: [], usageMetadata: { promptTokenCount: 77 } } },
  { kind: 'ollama', operation: 'embeddings', answer: { embeddings: [], prompt_eval_count: 77 } },
];

it.each(lists)(
  '$kind: $operation that are refused have their counts in the attempt: $answer',
  async ({ kind, operation, answer: body }) => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
    const asked =
      operation === 'embeddings'
        ? { model: `${kind}-${operation}`, input: ['one', 'two'] }
        : { model: `${kind}-${operation}`, query: 'one', documents: ['one', 'two'] };
    const answer = await gateway.as('admin', 'POST', `/v1/${operation}`, asked);
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(500);
    const run = await eventually(
      () => gateway.as('admin', 'GET', `/api/runs/${answer.headers.get('x-pailou-trace-id')}`),
      ({ status }) => status === 200,
    );
    expect(run.json.attempts[0]).toMatchObject({ outcome: 'error', input_tokens: 77, output_tokens: 0 });
  },
);

it('a list in parts has the counts of the parts that were answered', async () => {
  vendor.behave((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const vector = request.body.inputText === 'bad' ? {} : { embedding: [1] };
    response.end(JSON.stringify({ ...vector, inputTextTokenCount: 10 }));
  });
  // Four parts are sent at once, so that the last one is sent when another was answered.
  const asked = { model: 'bedrock-embeddings', input: ['one', 'two', 'three', 'four', 'bad'] };
  const answer = await gateway.as('admin', 'POST', '/v1/embeddings', asked);
  expect(answer.status, answer.text).toBeGreaterThanOrEqual(500);
  const run = await eventually(
    () => gateway.as('admin', 'GET', `/api/runs/${answer.headers.get('x-pailou-trace-id')}`),
    ({ status }) => status === 200,
  );
  expect(run.json.attempts[0].outcome).toBe('error');
  expect(run.json.attempts[0].input_tokens).toBeGreaterThanOrEqual(20);
});
