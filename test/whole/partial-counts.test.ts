/** A vendor that counts only one side of a chat: its count stands, the other side is estimated and marked, for every format and client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { type Face, facePaths, heardAnswer } from './heard-answers.ts';
import { startVendor, type Vendor } from './vendor.ts';
import { data, json, sse, type VendorShape } from './vendor-shape.ts';

type Side = 'input' | 'output';
type Counts = Partial<Record<Side, number>>;

/** The same answer by each format, whole or streamed, with the given counts. */
const answers: Readonly<Record<string, (counts: Counts, stream: boolean) => Pick<VendorShape, 'type' | 'body'>>> = {
  'openai-compatible': ({ input, output }, stream) => {
    const usage = { prompt_tokens: input, completion_tokens: output };
    const base = { id: 'a', object: stream ? 'chat.completion.chunk' : 'chat.completion', created: 1, model: 'm' };
    if (!stream)
      return json({ ...base, choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }], usage });
    const parts = [{ delta: { content: text } }, { delta: {}, finish_reason: 'stop' }].map((choice) => ({
      ...base,
      choices: [{ index: 0, ...choice }],
    }));
    return sse(`${data(...parts, { ...base, choices: [], usage })}data: [DONE]\n\n`);
  },
  anthropic: ({ input, output }, stream) => {
    const usage = { input_tokens: input, output_tokens: output };
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', stop_sequence: null };
    if (!stream) return json({ ...message, content: [{ type: 'text', text }], stop_reason: 'end_turn', usage });
    return sse(
      data(
        { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: {} } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
        { type: 'message_stop' },
      ),
    );
  },
  ollama: ({ input, output }, stream) => {
    const end = { done: true, done_reason: 'stop', prompt_eval_count: input, eval_count: output };
    const message = { role: 'assistant', content: text };
    if (!stream) return json({ model: 'm', message, ...end });
    const lines = [
      { model: 'm', message, done: false },
      { model: 'm', message: { role: 'assistant', content: '' }, ...end },
    ];
    return { type: 'application/x-ndjson', body: Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')) };
  },
  dashscope: ({ input, output }, stream) => {
    const whole = {
      request_id: 'r',
      output: { choices: [{ message: { role: 'assistant', content: text }, finish_reason: 'stop' }] },
      usage: { input_tokens: input, output_tokens: output },
    };
    return stream ? sse(data(whole)) : json(whole);
  },
  bedrock: ({ input, output }) =>
    json({
      output: { message: { role: 'assistant', content: [{ text }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: input, outputTokens: output },
    }),
};

const text = 'Twelve short words of an answer that a person would like to read.';
const kinds = Object.keys(answers);
const faces = Object.keys(facePaths) as Face[];
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  for (const kind of kinds) {
    const base_url = kind === 'openai-compatible' ? vendor.url : vendor.url.replace('/v1', '');
    const options = { base_url, ...(kind === 'ollama' ? {} : { api_key: 'key' }), ...(kind === 'bedrock' ? { region: 'us-east-1' } : {}) };
    expect((await gateway.as('admin', 'POST', '/api/providers', { name: kind, spec: { kind, options } })).status).toBe(201);
    const model = { name: kind, spec: { deployments: [{ provider: kind, model: 'theirs' }] } };
    expect((await gateway.as('admin', 'POST', '/api/models', model)).status).toBe(201);
  }
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const question = 'Say something that is neither short nor long.';
const questions: Readonly<Record<Face, (stream: boolean) => object>> = {
  chat: (stream) => ({ messages: [{ role: 'user', content: question }], ...(stream ? { stream_options: { include_usage: true } } : {}) }),
  messages: () => ({ messages: [{ role: 'user', content: question }], max_tokens: 100 }),
  responses: () => ({ input: question, store: false }),
};

function answerWith(body: Pick<VendorShape, 'type' | 'body'>): void {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': body.type });
    response.end(body.body);
  });
}

const askBy = (face: Face, model: string, stream: boolean) =>
  gateway.as('admin', 'POST', facePaths[face], { model, stream, ...questions[face](stream) });

const cases = kinds.flatMap((kind) =>
  (kind === 'bedrock' ? [false] : [false, true]).flatMap((stream) =>
    (['input', 'output'] as const).map((side) => ({ kind, stream, side, form: stream ? 'streamed' : 'whole' })),
  ),
);

describe.each(cases)('$kind, $form, counts $side alone', ({ kind, stream, side }) => {
  it.each(faces)('by %s', async (face) => {
    answerWith(answers[kind]!({ [side]: 4_321 }, stream));
    const answer = await askBy(face, kind, stream);
    expect(answer.status, answer.text).toBe(200);
    const { usage, text: heard } = heardAnswer(face, stream, answer.text);
    expect(heard).toBe(text);
    const [counted, estimated] = side === 'input' ? usage : usage.toReversed();
    expect(counted).toBe(4_321);
    expect(estimated, 'neither nothing nor the other side').toBeGreaterThan(4);
    expect(estimated).toBeLessThan(100);
    const run = await eventually(
      () => gateway.as('admin', 'GET', `/api/runs/${answer.headers.get('x-pailou-trace-id')}`),
      ({ status }) => status === 200,
    );
    expect(run.json.usage).toMatchObject({ input_tokens: usage[0], output_tokens: usage[1], estimated: true });
  });
});
