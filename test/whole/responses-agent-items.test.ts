/** What agents send back to /v1/responses: every type of item is understood, translated, or left out with a warning, and none stops a turn. */
import { describe, expect, it } from 'vitest';
import { ask, callNext, f, last, namespace, offered, patch, scene, useAgentScene } from './agent-scene.ts';

useAgentScene();

describe('items that come back', () => {
  const pairs: [string, object, object, object, unknown][] = [
    [
      'a call in a namespace',
      { type: 'function_call', namespace: 'agents', name: 'spawn', call_id: 'c', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'c', output: 'yes' },
      { name: 'agents__spawn', arguments: '{"a":1}' },
      'yes',
    ],
    [
      'free text',
      { type: 'custom_tool_call', name: 'apply_patch', call_id: 'c', input: patch },
      { type: 'custom_tool_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'done' }] },
      { name: 'apply_patch', arguments: JSON.stringify({ input: patch }) },
      'done',
    ],
    [
      'a search for tools',
      { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: { query: 'mail' } },
      { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [{ ...namespace, name: 'mail' }] },
      { name: 'tool_search', arguments: '{"query":"mail"}' },
      '{"tools":[{"name":"mail__spawn"},{"name":"mail__tell","description":"Tells them."}]}',
    ],
    [
      'a local shell',
      { type: 'local_shell_call', id: 'l', call_id: 'c', status: 'completed', action: { type: 'exec', command: ['ls'], env: {} } },
      { type: 'local_shell_call_output', id: 'c', output: 'a.txt' },
      { name: 'local_shell', arguments: '{"command":["ls"],"env":{}}' },
      'a.txt',
    ],
    [
      'a shell',
      { type: 'shell_call', call_id: 'c', action: { commands: ['ls'], timeout_ms: null } },
      { type: 'shell_call_output', call_id: 'c', output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }] },
      { name: 'shell', arguments: '{"commands":["ls"]}' },
      '[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]',
    ],
    [
      'a patch',
      { type: 'apply_patch_call', call_id: 'c', status: 'completed', operation: { type: 'delete_file', path: 'a' } },
      { type: 'apply_patch_call_output', call_id: 'c', status: 'failed' },
      { name: 'apply_patch', arguments: '{"type":"delete_file","path":"a"}' },
      'Failed.',
    ],
  ];
  it.each(pairs)('%s is a call and its result', async (_name, call, result, wanted, content) => {
    callNext();
    const { status, warnings } = await ask({ input: [{ role: 'user', content: 'x' }, call, result] });
    expect([status, warnings]).toEqual([200, '']);
    expect(last().body.messages.slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: wanted }] },
      { role: 'tool', tool_call_id: 'c', content },
    ]);
  });

  it('tools that a search found, and those of additional_tools, are offered', async () => {
    callNext({ name: 'mail__spawn', arguments: '{}' });
    const found = { ...namespace, name: 'mail' };
    const { output } = await ask({
      input: [
        {
          type: 'additional_tools',
          role: 'developer',
          tools: [{ ...namespace, name: 'functions', description: '' }, { type: 'web_search' }],
        },
        { role: 'user', content: 'x' },
        { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: {} },
        { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [found] },
      ],
    });
    expect(offered().map((tool) => tool.function.name)).toEqual(['spawn', 'tell', 'mail__spawn', 'mail__tell']);
    expect(output).toMatchObject([{ type: 'function_call', namespace: 'mail', name: 'spawn' }]);
  });

  it('what only OpenAI can read is left out with a warning, and the rest is asked', async () => {
    callNext();
    const { status, warnings } = await ask({
      input: [
        { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
        { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['q'] },
        { type: 'code_interpreter_call', id: 'ci_1', status: 'completed', code: '1', container_id: 'c', outputs: [] },
        { type: 'image_generation_call', id: 'ig_1', status: 'failed', result: null },
        { type: 'tool_search_call', call_id: null, execution: 'server', arguments: {} },
        { type: 'tool_search_output', call_id: null, execution: 'server', tools: [f] },
        { type: 'program', id: 'p', call_id: 'c', code: '1', fingerprint: 'f' },
        { type: 'compaction', encrypted_content: 'of OpenAI' },
        { type: 'a_type_of_next_year', id: 'n' },
        { type: 'configuration_update', reasoning: { effort: 'high' } },
        {
          type: 'agent_message',
          author: 'main',
          recipient: 'main/sub',
          content: [
            { type: 'input_text', text: 'Task: ' },
            { type: 'encrypted_content', encrypted_content: 'say hi' },
          ],
        },
        { role: 'user', content: 'x' },
      ],
      client_metadata: { thread_id: 't' },
    });
    expect(status).toBe(200);
    for (const type of [
      'web_search_call',
      'file_search_call',
      'code_interpreter_call',
      'tool_search_call',
      'program',
      'compaction',
      'a_type_of_next_year',
    ])
      expect(warnings).toContain(`the item ${type} left out: V has none`);
    expect(last().body.messages).toEqual([
      { role: 'user', content: 'Task: say hi' },
      { role: 'user', content: 'x' },
    ]);
    expect(last().body.reasoning_effort).toBe('high');
    expect(last().body).not.toHaveProperty('client_metadata');
    expect(offered().map((tool) => tool.function.name)).toEqual(['f']);
  });
});

it('a conversation is compacted by /v1/responses/compact too, also a stored one', async () => {
  callNext();
  const compact = (body: object) => scene.gateway.as('developer', 'POST', '/v1/responses/compact', { model: 'V', ...body });
  const { json } = await compact({ input: 'Make 3 files.' });
  expect(json).toMatchObject({
    object: 'response.compaction',
    output: [{ type: 'compaction' }],
    usage: { input_tokens: 5, output_tokens: 2 },
  });
  expect(last().body.messages[0]).toEqual({ role: 'user', content: 'Make 3 files.' });
  const stored = await scene.gateway.as('developer', 'POST', '/v1/responses', { model: 'V', input: 'And 2 folders.' });
  expect((await compact({ previous_response_id: stored.json.id })).json.output).toHaveLength(1);
  expect(last().body.messages.slice(0, 2)).toEqual([
    { role: 'user', content: 'And 2 folders.' },
    { role: 'assistant', content: 'ok' },
  ]);
});
