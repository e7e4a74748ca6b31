import { describe, expect, test } from 'vitest';
import { encodeReasoning } from '../../../../src/models/client-formats/encoded-reasoning.ts';
import { itemReferences, readResponsesRequest, withItems } from '../../../../src/models/client-formats/responses/request.ts';
import type { Json, JsonObject } from '../../../../src/types/json.ts';

const read = (more: JsonObject, earlier: readonly JsonObject[] = []) =>
  readResponsesRequest({ model: 'm', input: 'Hi', ...more }, { messages: earlier, items: [] });
const messagesOf = (input: Json) => read({ input }).request.body.messages;

describe('a request in the Responses format', () => {
  test('becomes the canonical request', () => {
    const asked = read({
      instructions: 'Be brief.',
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 2,
      parallel_tool_calls: false,
      tools: [{ type: 'function', name: 'f', parameters: null, strict: true }],
      text: { verbosity: 'low', format: { type: 'json_object' } },
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      service_tier: 'flex',
      enable_search: true,
      metadata: { a: 'b' },
      stream: true,
    });
    expect(asked.request.body).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      logprobs: true,
      top_logprobs: 2,
      parallel_tool_calls: false,
      tools: [{ type: 'function', function: { name: 'f', strict: true } }],
      verbosity: 'low',
      response_format: { type: 'json_object' },
      reasoning_effort: 'high',
      service_tier: 'flex',
      enable_search: true,
      stream: true,
    });
    expect(asked).toMatchObject({ stream: true, summary: true, encrypted: true, messages: [{ role: 'user', content: 'Hi' }] });
    expect(asked.echo).toMatchObject({ metadata: { a: 'b' }, instructions: 'Be brief.', reasoning: { effort: 'high', summary: 'auto' } });
  });

  test('puts stored items between the instructions and the input', () => {
    const earlier = [{ role: 'user', content: 'One' }];
    const { request, messages } = read({ instructions: 'I' }, earlier);
    expect(request.body.messages.map(({ content }) => content)).toEqual(['I', 'One', 'Hi']);
    expect(messages.map(({ content }) => content)).toEqual(['One', 'Hi']);
  });

  test('reads messages of all roles, with or without a type', () => {
    expect(
      messagesOf([
        { role: 'developer', content: 'Rule' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'a' },
            { type: 'input_text', text: 'b' },
          ],
        },
        {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'c' },
            { type: 'output_text', text: 'd' },
          ],
        },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
      ]),
    ).toEqual([
      { role: 'system', content: 'Rule' },
      { role: 'user', content: 'a\n\nb' },
      { role: 'assistant', content: 'cd' },
      { role: 'assistant', content: '', refusal: 'No' },
    ]);
  });

  test('reads pictures, files and sounds', () => {
    const sound = { type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } };
    expect(
      messagesOf([
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: 'https://pictures.example/a.png', detail: 'low' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0' },
            sound,
          ],
        },
      ])[0]?.['content'],
    ).toEqual([
      { type: 'image_url', image_url: { url: 'https://pictures.example/a.png', detail: 'low' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0' } },
      sound,
    ]);
  });

  test('joins reasoning, text and calls of one turn into one message', () => {
    const detail = { type: 'reasoning.encrypted', format: 'gemini', id: 'c1', data: 'x' };
    expect(
      messagesOf([
        { role: 'user', content: 'Go' },
        {
          type: 'reasoning',
          id: 'rs',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'hm' }],
          encrypted_content: encodeReasoning({ details: [detail] }),
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'g', input: 'free' },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [
            { type: 'input_text', text: 'x' },
            { type: 'input_image', image_url: 'data:,' },
          ],
        },
        { type: 'custom_tool_call_output', call_id: 'c2', output: 'y' },
        { type: 'reasoning', id: 'r2', summary: [{ type: 'summary_text', text: 'so' }], encrypted_content: 'of another service' },
        { role: 'assistant', content: 'Done' },
        { role: 'assistant', content: 'Really' },
      ]),
    ).toEqual([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: 'I look.',
        reasoning_content: 'hm',
        reasoning_details: [detail],
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } },
          { id: 'c2', type: 'custom', custom: { name: 'g', input: 'free' } },
        ],
      },
      {
        role: 'tool',
        tool_call_id: 'c1',
        content: [
          { type: 'text', text: 'x' },
          { type: 'image_url', image_url: { url: 'data:,' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c2', content: 'y' },
      { role: 'assistant', content: 'Done', reasoning_content: 'so' },
      { role: 'assistant', content: 'Really' },
    ]);
  });

  test('reads tools and the tool choice', () => {
    const mcp = { type: 'mcp', server_label: 'files', require_approval: 'never' };
    const custom = { type: 'custom', name: 'g', format: { type: 'grammar', syntax: 'regex', definition: '.*' } };
    const tools = [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' } }, custom, mcp];
    const choose = (choice: Json) => read({ tools, tool_choice: choice }).request.body['tool_choice'];
    expect(read({ tools }).request.body.tools).toEqual([
      { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } },
      { type: 'custom', custom: { name: 'g', format: { type: 'grammar', grammar: { syntax: 'regex', definition: '.*' } } } },
      mcp,
    ]);
    expect(choose('required')).toBe('required');
    expect(choose({ type: 'function', name: 'f' })).toEqual({ type: 'function', function: { name: 'f' } });
    expect(choose({ type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] })).toEqual({
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
    });
    // Some vendors refuse a tool choice without tools.
    expect(read({ tool_choice: 'auto' }).request.body).not.toHaveProperty('tool_choice');
  });

  test('omits optional fields that only OpenAI knows, and reports them', () => {
    const { request } = read({ truncation: 'auto', max_tool_calls: 3, context_management: [{ type: 'compaction' }] });
    expect(request.translated).toEqual({ leftOut: ['max_tool_calls', 'context_management', 'truncation'], demands: [] });
  });

  test.each<[JsonObject, string, string]>([
    [{ tools: [{ name: 'f' }] }, 'tools[0].type', 'invalid_request'],
    [{ input: [{ text: 'x' }] }, 'input[0]', 'invalid_request'],
    [{ input: [{ type: 'mesage', role: 'user', content: 'x' }] }, 'input[0].type', 'invalid_request'],
    [{ background: true }, 'background', 'unsupported_parameter'],
    [{ prompt: { id: 'p' } }, 'prompt', 'unsupported_parameter'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
      'input[0].content[0].file_id',
      'unsupported_parameter',
    ],
    [{ input: [{ role: 'nobody', content: 'x' }] }, 'input[0].role', 'invalid_request'],
    [{ input: [{ type: 'function_call', name: 'f' }] }, 'input[0].call_id', 'invalid_request'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].name', 'invalid_request'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type', 'invalid_request'],
    [{ text: { format: { type: 'json_schema', name: 'x' } } }, 'text.format.schema', 'invalid_request'],
  ])('refuses %j and names the field', (more, param, code) => {
    expect(() => read(more)).toThrow(expect.objectContaining({ code, param }));
  });

  test('finds references to earlier items and puts the items in their place', () => {
    const body = {
      input: [{ role: 'user', content: 'x' }, { type: 'item_reference', id: 'a' }, { id: 'b' }, { role: 'assistant', id: 'c' }],
    };
    expect(itemReferences(body)).toEqual([
      { index: 1, id: 'a' },
      { index: 2, id: 'b' },
    ]);
    expect(withItems(body, new Map([[1, { role: 'user', content: 'y' }]]))['input']).toEqual([
      body.input[0],
      { role: 'user', content: 'y' },
      body.input[2],
      body.input[3],
    ]);
  });
});
