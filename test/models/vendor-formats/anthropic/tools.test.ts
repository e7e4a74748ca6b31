import { describe, expect, test } from 'vitest';
import { anthropicChat } from '../../../../src/models/vendor-formats/anthropic/chat.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

type Data = Record<string, unknown>;

const hi = { role: 'user', content: 'hi' };

function encode(body: Partial<ChatBody>, target = targetOf({ model: 'claude-sonnet-4-6' })): Data {
  const whole = { model: 'public', messages: [hi], ...body } as ChatBody;
  return JSON.parse(anthropicChat.encodeRequest({ body: whole }, target).toString()) as Data;
}
const encodeMessages = (...messages: readonly Data[]): Data => encode({ messages } as Partial<ChatBody>);
const call = (id: string, name: string, text = '{}'): Data => ({ id, type: 'function', function: { name, arguments: text } });

describe('tools for Anthropic', () => {
  const parameters = { type: 'object', properties: { x: { type: 'number', minimum: 1 } }, required: ['x'] };
  const tool = (name: string, more: Data = {}): Data => ({ type: 'function', function: { name, description: 'd', parameters, ...more } });
  const encodeTools = (body: Data, target = targetOf({ model: 'claude-sonnet-4-6' })): Data =>
    encode({ tools: [tool('f'), tool('g')], ...body } as Partial<ChatBody>, target);

  test('are described in its format', () => {
    const cache_control = { type: 'ephemeral' };
    const tools = [
      { ...tool('f'), cache_control },
      { type: 'function', function: { name: 'g' } },
    ];
    expect(encode({ tools })['tools']).toEqual([
      { name: 'f', description: 'd', input_schema: parameters, cache_control },
      { name: 'g', input_schema: { type: 'object' } },
    ]);
  });

  test("may be Anthropic's server tools", () => {
    const own = [
      { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
      { name: 'h', input_schema: { type: 'object' } },
    ];
    expect(encode({ tools: [tool('f'), ...own] } as Partial<ChatBody>)['tools']).toEqual([
      { name: 'f', description: 'd', input_schema: parameters },
      ...own,
    ]);
    expect(thrownBy(() => encode({ tools: [tool('f'), { type: 'custom', custom: {} }] } as Partial<ChatBody>))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'tools[1]',
    });
  });

  test('are strict where the model supports it, with bounds in the descriptions', () => {
    const target = targetOf({ model: 'claude-sonnet-4-6' });
    const tools = [tool('f', { strict: true })];
    expect(encode({ tools } as Partial<ChatBody>, target)['tools']).toEqual([
      {
        name: 'f',
        description: 'd',
        input_schema: {
          type: 'object',
          properties: { x: { type: 'number', description: '(minimum: 1)' } },
          required: ['x'],
          additionalProperties: false,
        },
        strict: true,
      },
    ]);
    expect(target.warnings).toEqual(['minimum in strict tools sent in the prompt only: vendor does not enforce it']);
    const older = targetOf({ model: 'claude-3-7-sonnet-latest' });
    expect(encode({ tools } as Partial<ChatBody>, older)['tools']).toEqual([{ name: 'f', description: 'd', input_schema: parameters }]);
    expect(older.warnings).toEqual(['strict of tools left out: claude-3-7-sonnet-latest has none']);
  });

  test.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'g' } },
      { type: 'tool', name: 'g' },
    ],
  ])('are chosen by %j', (tool_choice, sent) => {
    expect(encodeTools({ tool_choice })['tool_choice']).toEqual(sent);
  });

  test('default to the model’s choice, and run one at a time if the caller wants that', () => {
    expect(encodeTools({})['tool_choice']).toBeUndefined();
    expect(encodeTools({ parallel_tool_calls: true })['tool_choice']).toBeUndefined();
    expect(encodeTools({ parallel_tool_calls: false })['tool_choice']).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    expect(encodeTools({ parallel_tool_calls: false, tool_choice: 'required' })['tool_choice']).toEqual({
      type: 'any',
      disable_parallel_tool_use: true,
    });
    expect(encode({ parallel_tool_calls: false, tool_choice: 'auto' })['tool_choice']).toBeUndefined();
  });

  test('are limited to the allowed ones', () => {
    const allowed = (mode: string): Data => ({
      type: 'allowed_tools',
      allowed_tools: { mode, tools: [{ type: 'function', function: { name: 'g' } }] },
    });
    const auto = encodeTools({ tool_choice: allowed('auto') });
    expect(auto['tools']).toMatchObject([{ name: 'g' }]);
    expect(auto['tool_choice']).toEqual({ type: 'auto' });
    expect(encodeTools({ tool_choice: allowed('required') })['tool_choice']).toEqual({ type: 'tool', name: 'g' });
  });

  test('of earlier turns are declared, but not offered, in a request without tools', () => {
    const sent = encodeMessages(hi, { role: 'assistant', tool_calls: [call('t', 'f')] }, { role: 'tool', tool_call_id: 't', content: 'x' });
    expect(sent['tools']).toEqual([{ name: 'f', input_schema: { type: 'object' } }]);
    expect(sent['tool_choice']).toEqual({ type: 'none' });
  });

  test('cannot be forced on models that refuse forced calls', () => {
    const target = targetOf({ model: 'claude-opus-5-5' });
    expect(thrownBy(() => encodeTools({ tool_choice: 'required' }, target))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'tool_choice',
    });
    expect(encodeTools({ tool_choice: 'required' }, targetOf({ model: 'claude-opus-5' }))['tool_choice']).toEqual({ type: 'any' });
  });
});
