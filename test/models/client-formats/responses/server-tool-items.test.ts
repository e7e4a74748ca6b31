/** Server-side tools as items of a response, and as items that a client returns. */
import { describe, expect, test } from 'vitest';
import type { CompleteResponse } from '../../../../src/models/client-formats/responses/emitter.ts';
import { readResponsesRequest } from '../../../../src/models/client-formats/responses/request.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import type { JsonObject } from '../../../../src/types/json.ts';
import { collectResponse } from '../collect.ts';

const hex = 'a'.repeat(32);
const step = (id: string, status: 'started' | 'completed' | 'failed', output?: string): ChatEvent => ({
  type: 'step',
  step: { id, kind: 'mcp', capability: 'mcp/files/a/b', status },
  call: { arguments: '{"x":1}', ...(output === undefined ? {} : { output }) },
});
const text = (said: string): ChatEvent => ({ type: 'text-delta', choice: 0, text: said });
const end: readonly ChatEvent[] = [
  { type: 'finish', choice: 0, reason: 'stop' },
  { type: 'response-end', usage: null },
];

async function renderItems(...events: ChatEvent[]): Promise<{ output: readonly JsonObject[]; messages: readonly JsonObject[] }> {
  let complete: CompleteResponse | undefined;
  const { echo } = readResponsesRequest({ model: 'm', input: 'Hi' });
  const form = { reasoning: true, summary: false, encrypted: false };
  const options = {
    id: `resp_${hex}`,
    created: 1,
    model: 'm',
    echo,
    ...form,
    onComplete: (each: CompleteResponse) => void (complete = each),
  };
  async function* all() {
    yield [...events, ...end];
  }
  const response = JSON.parse(await collectResponse(all(), options)) as { output: JsonObject[] };
  return { output: response.output, messages: complete?.messages ?? [] };
}

describe('the output of an answer', () => {
  test('is one message for each round, with the results of its calls in their order', async () => {
    const { messages } = await renderItems(
      text('I look.'),
      step('1.1', 'started'),
      step('1.2', 'started'),
      step('1.2', 'completed', 'two'),
      step('1.1', 'completed', 'one'),
      step('2.1', 'started'),
      step('2.1', 'failed', 'no'),
      text('Done.'),
    );
    const called = (index: number) => ({
      id: `mcp_${hex}000${index}`,
      type: 'function',
      function: { name: expect.stringMatching(/^files__a_b_/) as unknown, arguments: '{"x":1}' },
    });
    expect(messages).toEqual([
      { role: 'assistant', content: 'I look.', tool_calls: [called(1), called(2)] },
      { role: 'tool', tool_call_id: `mcp_${hex}0001`, content: 'one' },
      { role: 'tool', tool_call_id: `mcp_${hex}0002`, content: 'two' },
      { role: 'assistant', content: null, tool_calls: [called(3)] },
      { role: 'tool', tool_call_id: `mcp_${hex}0003`, content: 'no' },
      { role: 'assistant', content: 'Done.' },
    ]);
  });

  test('is bounded, with a mark where it was cut', async () => {
    const { output } = await renderItems(step('1.1', 'started'), step('1.1', 'completed', 'x'.repeat(100_001)), text('Done.'));
    const given = output[0]?.['output'] as string;
    expect(given.length).toBeLessThan(100_200);
    expect(given).toContain('[Cut: the first 100000 of 100001 characters.');
    const whole = await renderItems(step('1.1', 'started'), step('1.1', 'completed', 'x'.repeat(100_000)), text('Done.'));
    expect(whole.output[0]?.['output']).toBe('x'.repeat(100_000));
  });

  test('contains only the steps of a skill, not its inner calls', async () => {
    const inner: ChatEvent = { type: 'step', step: { id: '1.1', kind: 'mcp', capability: 'mcp/files/read', status: 'completed' } };
    const { output, messages } = await renderItems(inner, text('Done.'));
    expect(output.map(({ type }) => type)).toEqual(['message']);
    expect(messages).toHaveLength(1);
  });
});

const call = (id: string, more: object = {}) => ({ type: 'mcp_call', id, server_label: 'files', name: 'read', arguments: '{}', ...more });
const messagesOf = (...input: object[]) => readResponsesRequest({ model: 'm', input: input as JsonObject[] }).request.body.messages;
const roles = (messages: readonly JsonObject[]) =>
  messages.map(({ role, content }) => `${JSON.stringify(role)} ${JSON.stringify(content)}`.replace(/^"(\w+)"/, '$1'));

describe('items that a client returns', () => {
  test('become calls and results, even those of OpenAI and of failed or interrupted calls', () => {
    const error = { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'no such file' }] };
    const messages = messagesOf(
      { role: 'user', content: 'go' },
      { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'files', tools: [] },
      call(`mcp_${'b'.repeat(60)}`, { output: 'hello' }),
      call('mcp_2', { output: null, error }),
      call('mcp_3', { status: 'incomplete' }),
      { role: 'assistant', content: 'Done.' },
    );
    expect(roles(messages)).toEqual([
      'user "go"',
      'assistant null',
      'tool "hello"',
      'tool "no such file"',
      'tool "The call was cut off; nothing is known of its result."',
      'assistant "Done."',
    ]);
    const [first] = (messages[1]?.['tool_calls'] ?? []) as { id: string; function: { name: string } }[];
    expect(first?.function.name).toBe('files__read');
    expect(first?.id.length).toBe(40);
  });

  test('a function of the caller after results belongs to the next round', () => {
    const mine = { type: 'function_call', call_id: 'm', name: 'mine', arguments: '{}' };
    const result = { type: 'function_call_output', call_id: 'm', output: 'own' };
    expect(roles(messagesOf(call('1', { output: 'a' }), mine, result))).toEqual([
      'assistant null',
      'tool "a"',
      'assistant null',
      'tool "own"',
    ]);
    expect(roles(messagesOf(mine, call('1', { output: 'a' }), result))).toEqual(['assistant null', 'tool "a"', 'tool "own"']);
  });

  test('name what is missing', () => {
    expect(() => messagesOf({ type: 'mcp_call', id: 'x', name: 'read' })).toThrow(/input\[0\]\.server_label/);
    expect(() => messagesOf({ type: 'mcp_approval_response', approve: true })).toThrow(/input\[0\]\.approval_request_id/);
    expect(() => messagesOf({ type: 'mcp_approval_response', approval_request_id: 'x' })).toThrow(/input\[0\]\.approve/);
  });
});

describe('decisions', () => {
  const question = (id: string) => ({ type: 'mcp_approval_request', id, server_label: 'files', name: 'read', arguments: '{}' });
  const decide = (id: string, approve: boolean) => ({ type: 'mcp_approval_response', approval_request_id: id, approve });
  const id = (letter: string, index = 0) => `apr_${letter.repeat(32)}000${index}`;
  const read = (...input: object[]) => readResponsesRequest({ model: 'm', input: input as JsonObject[] });

  test('are those at the end of the input, for the last response with pending calls', () => {
    const { decisions, request, messages } = read(
      { role: 'user', content: 'go' },
      question(id('a')),
      decide(id('a'), true),
      call('1', { output: 'x' }),
      question(id('b')),
      decide(id('b'), false),
      question(id('c')),
      decide(id('c'), false),
      question(id('c', 1)),
      decide(id('c', 1), true),
    );
    expect(decisions.map((each) => [each.id, each.approve])).toEqual([
      [id('c'), false],
      [id('c', 1), true],
    ]);
    // The model gets an earlier denial; the loop gets a current one; the stored state has both.
    const no = 'tool "The person did not allow this call."';
    expect(roles(request.body.messages).filter((each) => each === no)).toHaveLength(1);
    expect(roles(messages).filter((each) => each === no)).toHaveLength(2);
  });
});
