import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import anthropicFormat from '../../src/models/vendor-formats/anthropic/plugin.ts';
import anthropic from '../../src/providers/anthropic.ts';
import { streamChunks } from '../contract/strict-chat.ts';
import { calls, ending, frame, open, says, started, stopped, thinks } from '../models/vendor-formats/anthropic/samples.ts';
import { completion, dribble, json, type ScriptedVendor, startVendor, streamText } from './scripted-vendor.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startVendor(anthropicFormat);
});
afterAll(() => vendor.close());

const deployment = (model: string, options: Readonly<Record<string, unknown>> = {}) =>
  vendor.deployment(anthropic, { api_key: 'sk-ant', base_url: vendor.base, ...options }, model);
const message = (content: readonly object[], stop_reason: string) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content,
  stop_reason,
  usage: { input_tokens: 1, output_tokens: 2 },
});
const text = message([{ type: 'text', text: 'x' }], 'end_turn');

describe('Anthropic', () => {
  test('streams text, thinking and calls', async () => {
    let seen: object = {};
    vendor.play(({ url, headers }, response) => {
      seen = { url, key: headers['x-api-key'], authorization: headers.authorization, version: headers['anthropic-version'] };
      dribble(
        response,
        'text/event-stream; charset=utf-8',
        frame(
          started(),
          ...thinks(0, 'S', '想'),
          ...says(1, '好😊'),
          ...calls(2, 't1', 'a'),
          ...calls(3, 't2', 'b', '{"x":1}'),
          ending('tool_use'),
          stopped,
        ),
      );
    });
    const streamed = await streamText(await vendor.chat(await deployment('claude-opus-4-6'), {}, true));
    expect(streamed).toContain('"content":"好😊"');
    expect(streamed).toContain('"reasoning_content":"想"');
    expect(streamChunks(streamed).findLast(({ choices }) => choices[0] !== undefined)?.choices[0]?.finish_reason).toBe('tool_calls');
    expect(seen).toEqual({ url: '/v1/messages', key: 'sk-ant', authorization: undefined, version: '2023-06-01' });
  });

  test('gets its signature back although the client drops it', async () => {
    const bodies: { thinking?: unknown; messages: { content: unknown }[] }[] = [];
    vendor.play(({ body }, response) => {
      bodies.push(JSON.parse(body) as (typeof bodies)[number]);
      const thought = { type: 'thinking', thinking: 'hm', signature: 'SIGNED' };
      json(response, 200, message([thought, { type: 'tool_use', id: 'toolu_round', name: 'f', input: { x: 1 } }], 'tool_use'));
    });
    const model = await deployment('claude-opus-4-5');
    const first = await completion(await vendor.chat(model, { reasoning_effort: 'low' }, false));
    const given = first.choices[0]?.message['tool_calls'] as { id: string }[];
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: given },
      { role: 'tool', tool_call_id: given[0]?.id ?? '', content: 'sunny' },
    ];
    const again = await vendor.chat(model, { messages, reasoning_effort: 'low' }, false);
    await completion(again);
    expect(again.warnings).toEqual([]);
    expect(bodies[1]?.thinking).toEqual({ type: 'enabled', budget_tokens: 2_048 });
    expect(bodies[1]?.messages[1]?.content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'SIGNED' },
      { type: 'tool_use', id: 'toolu_round', name: 'f', input: { x: 1 } },
    ]);
    // Calls without stored reasoning: Anthropic would refuse thinking.
    const unknownCalls = [
      messages[0],
      { ...messages[1], tool_calls: [{ ...given[0], id: 'other' }] },
      { ...messages[2], tool_call_id: 'other' },
    ];
    const without = await vendor.chat(model, { messages: unknownCalls as never, reasoning_effort: 'low' }, false);
    await completion(without);
    expect(without.warnings).toEqual(['thinking switched off: the thoughts before the last tool calls are lost']);
    expect(bodies[2]?.thinking).toBeUndefined();
  });

  test('joins the beta features of the administrator and the caller', async () => {
    let beta: unknown;
    vendor.play(({ headers }, response) => {
      beta = headers['anthropic-beta'];
      json(response, 200, text);
    });
    const model = await deployment('claude-opus-4-6', { betas: ['one', 'two'] });
    await completion(await vendor.chat(model, { betas: ['two', 'three'] }, false));
    expect(beta).toBe('two,three,one');
  });

  test('is called at other vendors, with their kind of key', async () => {
    let seen: object = {};
    vendor.play(({ url, headers }, response) => {
      seen = { url, key: headers['x-api-key'], authorization: headers.authorization };
      json(response, 200, text);
    });
    const model = await deployment('glm-4.7', { base_url: `${vendor.base}/api/anthropic/v1/messages/`, auth: 'bearer' });
    await completion(await vendor.chat(model, { max_tokens: 9 }, false));
    expect(seen).toEqual({ url: '/api/anthropic/v1/messages', key: undefined, authorization: 'Bearer sk-ant' });
  });

  test('is called without temperature for a version that has none', async () => {
    let body: object = {};
    vendor.play((request, response) => {
      body = JSON.parse(request.body) as object;
      json(response, 200, text);
    });
    const invocation = await vendor.chat(await deployment('claude-opus-4-6', { version: '2026-10-21' }), { temperature: 0.2 }, false);
    await completion(invocation);
    expect(body).not.toHaveProperty('temperature');
    expect(invocation.warnings).toEqual(['temperature left out: this version of the API has none']);
  });

  test('that is interrupted, or fails in the middle of a stream, is an error', async () => {
    const begun = frame(started(), open(0, { type: 'text', text: 'a' }));
    vendor.play((_request, response) => dribble(response, 'text/event-stream', begun));
    await expect(streamText(await vendor.chat(await deployment('claude-opus-4-6'), {}, true))).rejects.toMatchObject({
      code: 'upstream_interrupted',
    });
    const overloaded = frame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    vendor.play((_request, response) => dribble(response, 'text/event-stream', begun + overloaded));
    await expect(streamText(await vendor.chat(await deployment('claude-opus-4-6'), {}, true))).rejects.toMatchObject({
      code: 'upstream_unavailable',
    });
  });

  test.each([
    [400, 'invalid_request_error', 'max_tokens: must be at least 1', 'invalid_request'],
    [400, 'invalid_request_error', 'prompt is too long: 200001 tokens > 200000 maximum', 'context_length_exceeded'],
    [400, 'invalid_request_error', 'input length and `max_tokens` exceed context limit: 9 + 9 > 10', 'context_length_exceeded'],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'upstream_quota_exhausted'],
    [401, 'authentication_error', 'invalid x-api-key', 'upstream_authentication'],
    [402, 'billing_error', 'm', 'upstream_quota_exhausted'],
    [403, 'permission_error', 'm', 'upstream_authentication'],
    [404, 'not_found_error', 'model: claude-9', 'upstream_model_not_found'],
    [413, 'request_too_large', 'm', 'body_too_large'],
    [429, 'rate_limit_error', 'm', 'rate_limited'],
    [500, 'api_error', 'm', 'upstream_error'],
    [504, 'timeout_error', 'm', 'upstream_timeout'],
    [529, 'overloaded_error', 'm', 'upstream_unavailable'],
  ])('%i %s "%s" is %s', async (status, type, words, code) => {
    const body = { type: 'error', error: { type, message: words }, request_id: 'req_1' };
    vendor.play((_request, response) => json(response, status, body, { 'retry-after': '7' }));
    const refusal = vendor.chat(await deployment('claude-opus-4-6'), {}, false);
    await expect(refusal).rejects.toMatchObject({ code, ...(code === 'rate_limited' ? { retryAfterSeconds: 7 } : {}) });
  });

  test('a spending limit is not a rate limit', async () => {
    const error = { type: 'rate_limit_error', message: 'm', details: { error_code: 'enforced_spend_limit_reached' } };
    vendor.play((_request, response) => json(response, 429, { type: 'error', error }));
    await expect(vendor.chat(await deployment('claude-opus-4-6'), {}, false)).rejects.toMatchObject({ code: 'upstream_quota_exhausted' });
  });
});
