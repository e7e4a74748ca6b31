import { describe, expect, test } from 'vitest';
import { decodeReasoning } from '../../../../src/models/client-formats/encoded-reasoning.ts';
import {
  type CompleteResponse,
  createResponseEmitter,
  type ResponseOptions,
} from '../../../../src/models/client-formats/responses/emitter.ts';
import { responseOfItem } from '../../../../src/models/client-formats/responses/ids.ts';
import { readResponsesRequest } from '../../../../src/models/client-formats/responses/request.ts';
import type { ChatEvent, FinishReason } from '../../../../src/types/chat.ts';
import { GatewayError } from '../../../../src/types/errors.ts';
import type { JsonObject } from '../../../../src/types/json.ts';
import { checkResponse, checkResponseStream, responseEvents } from '../../../contract/strict-responses.ts';
import { collectResponse } from '../collect.ts';

const id = `resp_${'a'.repeat(32)}`;
const { echo } = readResponsesRequest({ model: 'm', input: 'Hi' });
const options: ResponseOptions = {
  id,
  created: 1,
  model: 'a "model"',
  echo,
  reasoning: true,
  summary: false,
  encrypted: false,
  onComplete: () => {},
};
const text = (said: string): ChatEvent => ({ type: 'text-delta', choice: 0, text: said });
const think = (said: string): ChatEvent => ({ type: 'reasoning-delta', choice: 0, text: said });
const refuse = (said: string): ChatEvent => ({ type: 'refusal-delta', choice: 0, text: said });
const start = (call: number, kind?: 'custom'): ChatEvent => ({
  type: 'tool-call-start',
  choice: 0,
  call,
  id: `t${call}`,
  name: `f${call}`,
  ...(kind === undefined ? {} : { kind }),
});
const args = (call: number, said: string): ChatEvent => ({ type: 'tool-call-delta', choice: 0, call, arguments: said });
const finish = (reason: FinishReason = 'stop'): ChatEvent => ({ type: 'finish', choice: 0, reason });
const end: ChatEvent = { type: 'response-end', usage: { inputTokens: 10, outputTokens: 4, cachedInputTokens: 3, reasoningTokens: 1 } };

async function* inBatches(events: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  for (const event of events) yield [event];
}

interface Written {
  readonly response: JsonObject & { readonly output: readonly (JsonObject & { readonly id: string })[] };
  readonly message: JsonObject;
  readonly messages: readonly JsonObject[];
  readonly types: readonly string[];
}

/** Renders one answer streamed and whole, checks both, and expects equal content. */
async function written(events: readonly ChatEvent[], more: Partial<ResponseOptions> = {}): Promise<Written> {
  const completed: CompleteResponse[] = [];
  const all = { ...options, ...more, onComplete: (complete: CompleteResponse) => completed.push(complete) };
  const whole = JSON.parse(await collectResponse(inBatches(events), all)) as Written['response'];
  expect(checkResponse(whole)).toEqual([]);
  const emitter = createResponseEmitter(all);
  const stream = events.map((event) => emitter.write([event])).join('');
  expect(checkResponseStream(stream)).toEqual([]);
  const parsed = responseEvents(stream);
  const atEnd = (response: JsonObject): JsonObject => ({ ...response, completed_at: 0 });
  expect(atEnd(parsed.at(-1).response)).toEqual(atEnd(whole));
  expect(completed.length).toBe(2);
  expect(completed[0]?.messages).toEqual(completed[1]?.messages);
  return {
    response: whole,
    messages: completed[0]?.messages ?? [],
    message: completed[0]?.messages[0] ?? {},
    types: parsed.map(({ type }) => type),
  };
}

describe('the Responses emitter', () => {
  test('writes a text with all its events', async () => {
    const { response, message, types } = await written([{ type: 'response-start', id: 'v' }, text('你'), text('好 🐉'), finish(), end]);
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(response).toMatchObject({
      id,
      model: 'a "model"',
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: '你好 🐉', annotations: [] }] }],
      usage: {
        input_tokens: 10,
        output_tokens: 4,
        total_tokens: 14,
        input_tokens_details: { cached_tokens: 3 },
        output_tokens_details: { reasoning_tokens: 1 },
      },
    });
    expect(message).toEqual({ role: 'assistant', content: '你好 🐉' });
    expect(responseOfItem(response.output[0]?.id ?? '')).toBe(id);
  });

  test('renders open reasoning as reasoning text, as a summary where requested, or not at all', async () => {
    const events = [think('h'), think('m'), text('Yes'), finish(), end];
    const open = await written(events);
    expect(open.response.output[0]).toMatchObject({ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] });
    expect(open.types).toContain('response.reasoning_text.delta');
    const summed = await written(events, { summary: true });
    expect(summed.response.output[0]).toMatchObject({ summary: [{ type: 'summary_text', text: 'hm' }] });
    expect(summed.types).toContain('response.reasoning_summary_part.added');
    const closed = await written(events, { reasoning: false });
    expect(closed.response.output.map((item) => item['type'])).toEqual(['message']);
    expect(closed.message['reasoning_content']).toBe('hm');
  });

  test('encodes encrypted reasoning where the caller requested it', async () => {
    const detail = { type: 'reasoning.text', format: 'anthropic', text: 'hm', signature: 's' };
    const events: ChatEvent[] = [think('hm'), { type: 'thought', choice: 0, detail }, text('Yes'), finish(), end];
    const { response, message } = await written(events, { encrypted: true });
    expect(decodeReasoning(response.output[0]?.['encrypted_content'] as string)).toEqual({ details: [detail] });
    expect(message['reasoning_details']).toEqual([detail]);
    expect((await written(events)).response.output[0]).not.toHaveProperty('encrypted_content');
    // Belongs to a call that has already begun.
    const late = await written([start(0), { type: 'thought', choice: 0, detail }, args(0, '{}'), finish('tool_calls'), end], {
      encrypted: true,
    });
    expect(late.response.output.map((item) => item['type'])).toEqual(['function_call', 'reasoning']);
  });

  test('writes calls with interleaved deltas, and custom calls', async () => {
    const { response, message } = await written([
      text('I look.'),
      start(0),
      start(1, 'custom'),
      args(0, '{"a"'),
      args(1, 'free'),
      args(0, ':1}'),
      start(2),
      text('And more.'),
      finish('tool_calls'),
      end,
    ]);
    expect(response.output).toMatchObject([
      { type: 'message', content: [{ text: 'I look.' }] },
      { type: 'function_call', call_id: 't0', name: 'f0', arguments: '{"a":1}' },
      { type: 'custom_tool_call', call_id: 't1', input: 'free' },
      { type: 'function_call', call_id: 't2', arguments: '{}' },
      { type: 'message', content: [{ text: 'And more.' }] },
    ]);
    expect(message['tool_calls']).toEqual([
      { id: 't0', type: 'function', function: { name: 'f0', arguments: '{"a":1}' } },
      { id: 't1', type: 'custom', custom: { name: 'f1', input: 'free' } },
      { id: 't2', type: 'function', function: { name: 'f2', arguments: '{}' } },
    ]);
  });

  test('keeps refusals, citations and log probabilities', async () => {
    const citation = { start_index: 0, end_index: 1, url: 'u', title: 't' };
    const token = { token: 'a', logprob: -1, bytes: null, top_logprobs: [] };
    const { response, types } = await written([
      { type: 'text-delta', choice: 0, text: 'a', logprobs: { content: [token], refusal: null } },
      { type: 'annotation', choice: 0, annotation: { type: 'url_citation', url_citation: citation } },
      refuse('No'),
      finish(),
      end,
    ]);
    expect(response.output[0]?.['content']).toEqual([
      { type: 'output_text', text: 'a', annotations: [{ type: 'url_citation', ...citation }], logprobs: [token] },
      { type: 'refusal', refusal: 'No' },
    ]);
    expect(types).toEqual(expect.arrayContaining(['response.refusal.done', 'response.output_text.annotation.added']));
  });

  test.each<[FinishReason, string]>([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('marks an answer that ended by %s as incomplete', async (reason, word) => {
    const { response, types } = await written([text('half'), start(0), args(0, '{"a":'), finish(reason), end]);
    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: word } });
    expect(response.output.at(-1)).toMatchObject({ status: 'incomplete', arguments: '{"a":' });
    expect(types.at(-1)).toBe('response.incomplete');
  });

  test('marks an estimate and reports the steps of the tool loop', async () => {
    const step = { id: '1.1', kind: 'mcp', capability: 'mcp/a/b', status: 'completed' } as const;
    const { response } = await written([
      { type: 'step', step },
      text('a'),
      finish(),
      { type: 'response-end', usage: { inputTokens: 1, outputTokens: 1, estimated: true } },
    ]);
    expect(response).toMatchObject({ usage: { estimated: true }, pailou: { steps: [step] } });
  });

  test('never ends a failed answer as a complete one, nor stores it', async () => {
    const completed: unknown[] = [];
    const emitter = createResponseEmitter({ ...options, onComplete: (complete) => completed.push(complete) });
    const begun = emitter.write([text('half')]);
    const last = emitter.error(new GatewayError('upstream_interrupted', 'cut', { details: { text: 'secret words' } }), 'r1');
    const events = responseEvents(begun + last);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_event, index) => index));
    expect(events.at(-2)).toMatchObject({ type: 'error', code: 'upstream_interrupted', message: 'cut', param: null, request_id: 'r1' });
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: {
        status: 'failed',
        error: { code: 'server_error', message: 'cut' },
        output: [{ status: 'incomplete', content: [{ text: 'half' }] }],
      },
    });
    expect(last).not.toContain('secret');
    expect(emitter.write([finish(), end])).toBe('');
    await expect(collectResponse(inBatches([text('a'), finish()]), options)).rejects.toMatchObject({ code: 'upstream_interrupted' });
    expect(() => createResponseEmitter(options).write([text('a'), end])).toThrow(expect.objectContaining({ code: 'upstream_interrupted' }));
    expect(completed).toEqual([]);
  });
});
