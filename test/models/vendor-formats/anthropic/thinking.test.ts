import { describe, expect, test } from 'vitest';
import { anthropicChat } from '../../../../src/models/vendor-formats/anthropic/chat.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import { targetOf } from '../../target.ts';

type Data = Record<string, unknown>;

function encode(model: string, body: Data): Data & { readonly warnings: string[]; readonly messages: Data[] } {
  const target = targetOf({ model });
  const whole = { model: 'public', messages: [{ role: 'user', content: 'hi' }], ...body } as ChatBody;
  const sent = JSON.parse(anthropicChat.encodeRequest({ body: whole }, target).toString()) as Data & { messages: Data[] };
  return { ...sent, warnings: target.warnings };
}

const shown = { type: 'adaptive', display: 'summarized' };
const budget = (budget_tokens: number): Data => ({ type: 'enabled', budget_tokens });
const tools = [{ type: 'function', function: { name: 'f' } }];
const signed = { type: 'reasoning.text', format: 'anthropic', text: 'hm', signature: 'S' };
const hidden = { type: 'reasoning.encrypted', format: 'anthropic', data: 'R' };
const foreign = { type: 'reasoning.encrypted', format: 'gemini', data: 'G' };
const called = (more: Data = {}): Data => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 't', type: 'function', function: { name: 'f', arguments: '{}' } }],
  ...more,
});
const result = { role: 'tool', tool_call_id: 't', content: 'x' };
const user = { role: 'user', content: 'hi' };

describe('reasoning_effort at Claude', () => {
  test.each([
    ['claude-opus-4-6', 'low', shown, 'low', []],
    ['claude-opus-4-6', 'xhigh', shown, 'max', ['reasoning_effort xhigh changed to max: claude-opus-4-6 has no xhigh']],
    ['claude-opus-4-7', 'xhigh', shown, 'xhigh', []],
    ['claude-sonnet-5', 'minimal', shown, 'low', ['reasoning_effort minimal changed to low: claude-sonnet-5 has no minimal']],
    ['claude-next-7', 'high', shown, 'high', []],
    ['claude-haiku-4-5-20251001', 'low', budget(2_048), undefined, []],
    ['claude-haiku-4-5-20251001', 'medium', budget(8_192), undefined, []],
    ['claude-3-7-sonnet-latest', 'max', budget(25_600), undefined, []],
    ['glm-4.7', 'low', budget(2_048), undefined, ['max_tokens set to 8192: vendor needs one']],
    ['claude-3-5-sonnet-latest', 'high', undefined, undefined, ['reasoning_effort left out: claude-3-5-sonnet-latest does not think']],
    ['claude-opus-4-6', 'none', undefined, undefined, []],
    // Models that think only on request need no field that disables it.
    ['claude-haiku-4-5', 'none', undefined, undefined, []],
    ['claude-sonnet-5', 'none', { type: 'disabled' }, undefined, []],
    ['claude-opus-5', 'none', { type: 'disabled' }, undefined, []],
    ['claude-haiku-5-5', 'none', { type: 'disabled' }, undefined, []],
    ['glm-4.7', 'none', { type: 'disabled' }, undefined, ['max_tokens set to 8192: vendor needs one']],
    [
      'claude-sonnet-5-5',
      'none',
      { type: 'between_tools' },
      undefined,
      ['reasoning_effort none changed to the least: claude-sonnet-5-5 always thinks'],
    ],
    ['claude-opus-5-5', 'none', shown, 'low', ['reasoning_effort none changed to the least: claude-opus-5-5 always thinks']],
    ['claude-mythos-preview', 'none', shown, 'low', ['reasoning_effort none changed to the least: claude-mythos-preview always thinks']],
  ])('%s with %s', (model, reasoning_effort, thinking, effort, warnings) => {
    const sent = encode(model, { reasoning_effort });
    expect(sent['thinking']).toEqual(thinking);
    expect(sent['output_config']).toEqual(effort === undefined ? undefined : { effort });
    expect(sent.warnings).toEqual(warnings);
  });

  test('leaves room for the answer, or disables thinking when there is none', () => {
    expect(encode('claude-opus-4-5', { reasoning_effort: 'high', max_tokens: 5_000 })['thinking']).toEqual(budget(4_000));
    expect(encode('claude-opus-4-5', { reasoning_effort: 'high', max_tokens: 1_025 })['thinking']).toEqual(budget(1_024));
    const none = encode('claude-opus-4-5', { reasoning_effort: 'high', max_tokens: 1_024 });
    expect(none['thinking']).toBeUndefined();
    expect(none.warnings).toEqual(['reasoning_effort left out: max_tokens leaves no room to think']);
  });

  test('shows the thinking of models that always think when it is not set, and starts none', () => {
    expect(encode('claude-sonnet-5', {})['thinking']).toEqual(shown);
    expect(encode('claude-sonnet-4-6', {})['thinking']).toBeUndefined();
    expect(encode('claude-opus-4-8', {})['thinking']).toBeUndefined();
    expect(encode('deepseek-chat', {})['thinking']).toBeUndefined();
  });

  test("is overridden by the caller's own thinking field, which is sent unchanged", () => {
    expect(encode('claude-opus-4-5', { thinking: budget(2_000) })['thinking']).toEqual(budget(2_000));
    const both = encode('claude-opus-4-6', { thinking: { type: 'adaptive' }, reasoning_effort: 'high' });
    expect(both['thinking']).toEqual({ type: 'adaptive' });
    expect(both['output_config']).toEqual({ effort: 'high' });
    const against = encode('claude-opus-4-6', { thinking: { type: 'disabled' }, reasoning_effort: 'high' });
    expect(against['thinking']).toEqual({ type: 'disabled' });
    expect(against.warnings).toEqual(['reasoning_effort left out: thinking says otherwise']);
  });
});

describe('fields that conflict with thinking', () => {
  test('sampling fields are omitted, unless they equal the default', () => {
    const sent = encode('claude-opus-4-5', { reasoning_effort: 'low', temperature: 0.3, top_p: 1, top_k: 4 });
    expect(sent).not.toHaveProperty('temperature');
    expect(sent).not.toHaveProperty('top_p');
    expect(sent).not.toHaveProperty('top_k');
    expect(sent.warnings).toEqual([
      'temperature left out: claude-opus-4-5 takes none while it thinks',
      'top_k left out: claude-opus-4-5 takes none while it thinks',
    ]);
  });

  test('newer models accept none, those before them one of two', () => {
    const newer = encode('claude-opus-4-7', { temperature: 0.3, top_p: 0.5 });
    expect(newer.warnings).toEqual(['temperature left out: claude-opus-4-7 has none', 'top_p left out: claude-opus-4-7 has none']);
    const before = encode('claude-opus-4-5', { temperature: 0.3, top_p: 0.5 });
    expect(before['temperature']).toBe(0.3);
    expect(before).not.toHaveProperty('top_p');
    expect(before.warnings).toEqual(['top_p left out: claude-opus-4-5 takes temperature or top_p, not both']);
    expect(encode('claude-3-opus-20240229', { temperature: 0.3, top_p: 0.5 })).toMatchObject({ temperature: 0.3, top_p: 0.5 });
    expect(encode('glm-4.7', { temperature: 0.3, reasoning_effort: 'low' })['temperature']).toBe(0.3);
  });

  test('a forced tool call disables thinking where they exclude each other', () => {
    const older = encode('claude-opus-4-5', { tools, tool_choice: 'required', reasoning_effort: 'high' });
    expect(older['thinking']).toBeUndefined();
    expect(older['tool_choice']).toEqual({ type: 'any' });
    expect(older.warnings).toEqual(['thinking switched off: tool_choice makes the model call a tool']);
    const newer = encode('claude-opus-4-6', { tools, tool_choice: 'required', reasoning_effort: 'high' });
    expect(newer['thinking']).toEqual(shown);
    expect(newer['tool_choice']).toEqual({ type: 'any' });
  });
});

describe('thinking of earlier turns', () => {
  test('is first in its turn, only that of Anthropic', () => {
    const message = called({ content: 'I look.', reasoning_content: 'hm', reasoning_details: [foreign, signed, hidden] });
    const sent = encode('claude-opus-4-6', { messages: [user, message, result], tools, reasoning_effort: 'low' });
    expect(sent.messages[1]?.['content']).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'S' },
      { type: 'redacted_thinking', data: 'R' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 't', name: 'f', input: {} },
    ]);
  });

  test('is omitted when thinking is disabled', () => {
    const messages = [user, called({ reasoning_details: [signed] }), result];
    expect(encode('claude-opus-4-5', { messages, tools }).messages[1]?.['content']).toMatchObject([{ type: 'tool_use' }]);
  });

  test('that is lost disables the budget, which would be refused, and nothing else', () => {
    const lost = 'thinking switched off: the thoughts before the last tool calls are lost';
    const ask = (model: string, ...messages: readonly Data[]) =>
      encode(model, { messages: [user, ...messages], tools, reasoning_effort: 'low' });
    const here = called({ reasoning_details: [signed] });
    expect(ask('claude-opus-4-5', called(), result).warnings).toEqual([lost]);
    expect(ask('claude-opus-4-5', called(), result)['thinking']).toBeUndefined();
    expect(ask('claude-opus-4-5', called({ reasoning_details: [foreign] }), result).warnings).toEqual([lost]);
    expect(ask('claude-opus-4-5', called(), result, { role: 'user', content: 'Hurry!' }).warnings).toEqual([lost]);
    expect(ask('claude-opus-4-5', here, result)['thinking']).toEqual(budget(2_048));
    // Within a turn of several steps only the first one has thinking.
    expect(ask('claude-opus-4-5', here, result, called(), result)['thinking']).toEqual(budget(2_048));
    // A finished turn needs no thinking.
    expect(ask('claude-opus-4-5', called(), result, { role: 'assistant', content: 'done' }, user)['thinking']).toEqual(budget(2_048));
    expect(ask('claude-opus-4-6', called(), result)['thinking']).toEqual(shown);
  });

  test('is sent as unsigned thinking to other vendors of this format', () => {
    const messages = [user, called({ reasoning_content: 'hm' }), result, { role: 'assistant', content: 'ok', reasoning_content: 'no' }];
    const sent = encode('deepseek-v4', { messages, tools });
    expect(sent.messages[1]?.['content']).toMatchObject([{ type: 'thinking', thinking: 'hm', signature: '' }, { type: 'tool_use' }]);
    expect(sent.messages[3]?.['content']).toEqual([{ type: 'text', text: 'ok' }]);
    expect(encode('claude-sonnet-5', { messages, tools }).messages[1]?.['content']).toMatchObject([{ type: 'tool_use' }]);
  });
});
