import { describe, expect, test } from 'vitest';
import { encodeReasoning } from '../../../../src/models/client-formats/encoded-reasoning.ts';
import { readMessagesRequest } from '../../../../src/models/client-formats/messages/request.ts';
import type { JsonObject } from '../../../../src/types/json.ts';

const hello = [{ role: 'user', content: 'Hi' }];
const read = (more: JsonObject, beta?: string) => readMessagesRequest({ model: 'm', max_tokens: 100, messages: hello, ...more }, beta);
const messagesOf = (messages: readonly JsonObject[], more: JsonObject = {}) => read({ messages, ...more }).request.body.messages;
const png = { type: 'base64', media_type: 'image/png', data: 'iVBORw0' };

describe('a request in the Messages format', () => {
  test('becomes the canonical request, with its original form', () => {
    const body = {
      model: 'm',
      max_tokens: 100,
      system: 'Be brief.',
      messages: hello,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      stream: true,
      metadata: { user_id: 'u-1' },
    };
    const { request, stream, reasoning } = readMessagesRequest(body, 'a-1,b-2');
    expect(request.body).toEqual({
      model: 'm',
      max_tokens: 100,
      messages: [{ role: 'system', content: 'Be brief.' }, ...hello],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop: ['END'],
      stream: true,
      user: 'u-1',
    });
    expect(request.native).toEqual({ format: 'anthropic', body, headers: { 'anthropic-beta': 'a-1,b-2' } });
    expect(request.translated).toEqual({ leftOut: [], demands: [] });
    expect({ stream, reasoning }).toEqual({ stream: true, reasoning: true });
  });

  test('keeps cache_control on system, texts, tools and results', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const { body } = read({
      system: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two', ...mark },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi', ...mark }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok', ...mark }] },
      ],
      tools: [{ name: 'f', input_schema: { type: 'object' }, ...mark }],
    }).request;
    expect(body.messages).toEqual([
      { role: 'system', content: [{ type: 'text', text: 'one' }, { type: 'text', text: 'two', ...mark }] }, // prettier-ignore
      { role: 'user', content: [{ type: 'text', text: 'Hi', ...mark }] },
      { role: 'assistant', content: null, tool_calls: [{ id: 't1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
      { role: 'tool', tool_call_id: 't1', content: 'ok', ...mark },
    ]);
    expect(body.tools).toEqual([{ type: 'function', function: { name: 'f', parameters: { type: 'object' } }, ...mark }]);
  });

  test('puts tool results before the user’s text, errors and images included', () => {
    expect(
      messagesOf([
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', is_error: true, content: [{ type: 'text', text: 'no such file' }] },
            {
              type: 'tool_result',
              tool_use_id: 'b',
              content: [
                { type: 'text', text: 'seen' },
                { type: 'image', source: png },
              ],
            },
            { type: 'tool_result', tool_use_id: 'c' },
            { type: 'text', text: 'Go on.' },
          ],
        },
      ]),
    ).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'no such file', is_error: true },
      {
        role: 'tool',
        tool_call_id: 'b',
        content: [
          { type: 'text', text: 'seen' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c', content: '' },
      { role: 'user', content: 'Go on.' },
    ]);
  });

  test('accepts instructions in the middle of the conversation', () => {
    expect(messagesOf([...hello, { role: 'system', content: [{ type: 'text', text: 'New rule.' }] }])).toEqual([
      ...hello,
      { role: 'system', content: 'New rule.' },
    ]);
  });

  test('reads images and documents in all their forms', () => {
    const [message] = messagesOf([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://pictures.example/a.png' } },
          { type: 'document', title: 'Plan', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0' } },
          { type: 'document', title: 'Notes', context: 'from May', source: { type: 'text', media_type: 'text/plain', data: 'buy milk' } },
          { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'inside' }] } },
          { type: 'search_result', title: 'T', source: 'S', content: [{ type: 'text', text: 'found' }] },
        ],
      },
    ]);
    expect(message?.['content']).toEqual([
      { type: 'image_url', image_url: { url: 'https://pictures.example/a.png' } },
      { type: 'file', file: { filename: 'Plan', file_data: 'data:application/pdf;base64,JVBERi0' } },
      { type: 'text', text: 'Notes\n\nfrom May\n\nbuy milk' },
      { type: 'text', text: 'inside' },
      { type: 'text', text: 'T\nS\nfound' },
    ]);
  });

  test('keeps thinking: signed, redacted and that of other vendors', () => {
    const foreign = { type: 'reasoning.encrypted', format: 'gemini', id: 't1', data: 'sig' };
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 's1' },
      { type: 'redacted_thinking', data: 'secret' },
      { type: 'redacted_thinking', data: encodeReasoning(foreign) },
      { type: 'thinking', thinking: 'unsigned', signature: '' },
      { type: 'text', text: 'Yes' },
    ];
    const { request } = read({ messages: [...hello, { role: 'assistant', content }, ...hello] });
    expect(request.body.messages[1]).toEqual({
      role: 'assistant',
      content: 'Yes',
      reasoning_content: 'hm\n\nunsigned',
      reasoning_details: [
        { type: 'reasoning.text', format: 'anthropic', text: 'hm', signature: 's1' },
        { type: 'reasoning.encrypted', format: 'anthropic', data: 'secret' },
        foreign,
      ],
    });
    // Anthropic itself gets only its own blocks.
    const own = request.native?.body['messages'];
    expect(own).toMatchObject([{}, { content: [content[0], content[1], content[4]] }, {}]);
  });

  test('maps the thinking budget to an effort', () => {
    const effort = (more: JsonObject) => read(more).request.body['reasoning_effort'];
    expect(effort({})).toBeUndefined();
    expect(effort({ thinking: { type: 'enabled', budget_tokens: 1_024 } })).toBe('low');
    expect(effort({ thinking: { type: 'enabled', budget_tokens: 4_000 } })).toBe('medium');
    expect(effort({ thinking: { type: 'enabled', budget_tokens: 31_999 } })).toBe('high');
    expect(effort({ thinking: { type: 'enabled' } })).toBe('medium');
    expect(effort({ thinking: { type: 'adaptive' } })).toBeUndefined();
    expect(effort({ thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } })).toBe('xhigh');
    expect(effort({ thinking: { type: 'disabled' }, output_config: { effort: 'high' } })).toBe('none');
    expect(read({ thinking: { type: 'disabled' } }).reasoning).toBe(false);
    expect(read({ thinking: { type: 'adaptive', display: 'omitted' } }).reasoning).toBe(false);
  });

  test('keeps the schema of the answer under its former and its new name', () => {
    const format = { type: 'json_schema', schema: { type: 'object' } };
    const wanted = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: { type: 'object' } } };
    expect(read({ output_config: { format } }).request.body['response_format']).toEqual(wanted);
    expect(read({ output_format: format }).request.body['response_format']).toEqual(wanted);
  });

  test('reads tools and the tool choice', () => {
    const tools = [{ name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true, eager_input_streaming: true }];
    const choose = (choice: JsonObject) => {
      const { body, translated } = read({ tools, tool_choice: choice }).request;
      expect(translated?.leftOut).toEqual(['tools.eager_input_streaming']);
      return [body['tool_choice'], body['parallel_tool_calls']];
    };
    expect(choose({ type: 'auto' })).toEqual(['auto', undefined]);
    expect(choose({ type: 'any', disable_parallel_tool_use: true })).toEqual(['required', false]);
    expect(choose({ type: 'none' })).toEqual(['none', undefined]);
    expect(choose({ type: 'tool', name: 'f' })).toEqual([{ type: 'function', function: { name: 'f' } }, undefined]);
    expect(read({ tools: [], tool_choice: { type: 'auto' } }).request.body).not.toHaveProperty('tool_choice');
  });

  test("passes Pailou's own tool servers to the loop", () => {
    const tools = [{ type: 'mcp', server_label: 'files' }];
    expect(read({ tools }).request.body.tools).toEqual(tools);
  });

  test.each<[string, JsonObject, string]>([
    ['a tool that runs there', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0]'],
    ['a container', { container: 'c-1' }, 'container'],
    ['tool servers of its own', { mcp_servers: [{ type: 'url', url: 'https://mcp.example' }] }, 'mcp_servers'],
    [
      'a file that lies there',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
      'messages[0].content[0].source',
    ],
    [
      'citations',
      { messages: [{ role: 'user', content: [{ type: 'document', citations: { enabled: true }, source: { type: 'text', data: 'x' } }] }] },
      'messages[0].content[0].citations',
    ],
  ])('requires a vendor of the same format for %s', (_what, more, param) => {
    expect(read(more).request.translated?.demands).toEqual([{ param, need: expect.any(String) }]);
  });

  test('refuses a thread with the error that makes the client send everything', () => {
    expect(() => read({ thread: { type: 'create' } })).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param: 'thread', expose: { error_code: 'thread_unsupported_request' } }),
    );
  });

  test('omits fields that only Anthropic knows, and passes fields that other vendors may know', () => {
    const { body, translated } = read({ context_management: { edits: [] }, speed: 'fast', enable_search: true, mcp_servers: [] }).request;
    expect(translated).toEqual({ leftOut: ['context_management', 'speed'], demands: [] });
    expect(body['enable_search']).toBe(true);
    // A caller of beta features sends their fields, whatever their names.
    const trial = read({ brand_new: 1, ['né']: 2 }, 'brand-new-1').request;
    expect(trial.translated?.leftOut).toEqual(['brand_new', 'a field']);
    expect(trial.body).not.toHaveProperty('brand_new');
  });

  test('shortens a user name that is too long for other vendors, deterministically', () => {
    const name = (id: string) => read({ metadata: { user_id: id } }).request.body['user'];
    const long = 'user_'.repeat(30);
    expect(name(long)).toMatch(/^[0-9a-f]{64}$/);
    expect(name(long)).toBe(name(long));
    expect(name(long)).not.toBe(name(`${long}2`));
  });

  test.each<[JsonObject, string]>([
    [{ messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
    [{ messages: [{ role: 'user', content: ['x'] }] }, 'messages[0].content[0]'],
    [{ messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] }, 'messages[0].content[0].tool_use_id'],
    [{ messages: [{ role: 'user', content: [{ type: 'image' }] }] }, 'messages[0].content[0].source'],
    [{ messages: [{ role: 'assistant', content: [{ type: 'tool_use', name: 'f' }] }] }, 'messages[0].content[0].id'],
    [{ tools: [{ name: 'f' }] }, 'tools[0].input_schema'],
    [{ tools: [{ name: 'f', input_schema: {} }], tool_choice: { type: 'some' } }, 'tool_choice.type'],
    [{ thinking: { type: 'enabled', budget_tokens: -1 } }, 'thinking.budget_tokens'],
    [{ output_config: { format: { type: 'xml' } } }, 'output_config.format'],
  ])('refuses %j and names the field', (more, param) => {
    expect(() => read(more)).toThrow(expect.objectContaining({ code: 'invalid_request', param }));
  });
});
