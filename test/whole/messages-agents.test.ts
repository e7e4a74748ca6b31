/** What agents send to /v1/messages beyond texts and functions, for a vendor that has only these: tools that the client runs, and a conversation that began at Anthropic. */
import { describe, expect, it } from 'vitest';
import { callNext, last, offered, scene, useAgentScene } from './agent-scene.ts';

useAgentScene();

const f = { name: 'f', input_schema: { type: 'object' } };
const user = { role: 'user', content: 'x' };

async function ask(body: object) {
  const given = { model: 'V', max_tokens: 100, messages: [user], ...body };
  const answer = await scene.gateway.as('developer', 'POST', '/v1/messages', given);
  return { status: answer.status, warnings: answer.headers.get('x-pailou-warnings') ?? '', json: answer.json };
}

describe('tools', () => {
  it.each([
    ['bash_20250124', 'bash', { command: 'ls' }],
    ['text_editor_20250728', 'str_replace_based_edit_tool', { command: 'view', path: '/a' }],
    ['memory_20250818', 'memory', { command: 'view', path: '/memories' }],
    ['computer_20251124', 'computer', { action: 'screenshot' }],
  ])('%s is offered as a function, and its call comes back under its name', async (type, name, input) => {
    callNext({ name, arguments: JSON.stringify(input) });
    const { status, warnings, json } = await ask({ tools: [{ type, name, display_width_px: 100 }] });
    expect([status, warnings]).toEqual([200, '']);
    expect(offered()).toMatchObject([{ function: { name, parameters: { type: 'object' } } }]);
    expect(json.content).toMatchObject([{ type: 'tool_use', name, input }]);
  });

  it('a search for tools is left out with a warning, because its tools are offered at once', async () => {
    callNext();
    const search = { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' };
    const { status, warnings } = await ask({ tools: [search, { ...f, defer_loading: true }] });
    expect(status).toBe(200);
    expect(warnings).toContain('tool_search_tool_regex_20251119 left out');
    expect(offered().map((tool) => tool.function.name)).toEqual(['f']);
  });

  it('a tool that Anthropic runs is still refused by name', async () => {
    const { status, json } = await ask({ tools: [f, { type: 'web_search_20250305', name: 'web_search' }] });
    expect([status, json.error.details.param]).toEqual([400, 'tools[1]']);
  });
});

it('top_k, which no vendor of the Responses format takes, stops no turn', async () => {
  const spec = { deployments: [{ provider: 'openai', model: 'gpt-5', api: 'responses' }] };
  await scene.gateway.as('admin', 'POST', '/api/models', { name: 'native', spec });
  const output = [{ type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'ok' }] }];
  scene.vendor.behave((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'completed', output }));
  });
  const { status, warnings } = await ask({ model: 'native', top_k: 5 });
  expect(status).toBe(200);
  expect(warnings).toContain('top_k left out: openai has none');
  expect(last().body).not.toHaveProperty('top_k');
});

describe('a conversation that began at Anthropic', () => {
  const searched = [
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'gate' } },
    {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: [{ type: 'web_search_result', title: 'Gates', url: 'https://a.example', encrypted_content: 'secret' }],
    },
  ];

  it('keeps what Anthropic ran as a call with its readable result', async () => {
    callNext();
    const messages = [user, { role: 'assistant', content: [...searched, { type: 'text', text: 'South.' }] }, user];
    expect(await ask({ messages })).toMatchObject({ status: 200, warnings: '' });
    expect(last().body.messages).toEqual([
      user,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'srvtoolu_1', type: 'function', function: { name: 'web_search', arguments: '{"query":"gate"}' } }],
      },
      { role: 'tool', tool_call_id: 'srvtoolu_1', content: 'Gates\nhttps://a.example' },
      { role: 'assistant', content: 'South.' },
      user,
    ]);
  });

  it('keeps the outputs of code that ran there', async () => {
    callNext();
    const output = { type: 'bash_code_execution_result', stdout: 'a.txt', stderr: '', return_code: 0, content: [] };
    const ran = [
      { type: 'server_tool_use', id: 's', name: 'bash_code_execution', input: { command: 'ls' } },
      { type: 'bash_code_execution_tool_result', tool_use_id: 's', content: output },
    ];
    await ask({ messages: [user, { role: 'assistant', content: ran }, user] });
    expect(last().body.messages[2]).toEqual({ role: 'tool', tool_call_id: 's', content: 'a.txt' });
  });

  it('keeps a summary, and leaves out with a warning what it does not know', async () => {
    callNext();
    const content = [
      { type: 'compaction', content: 'We built a gate.' },
      { type: 'fallback' },
      { type: 'a_type_of_next_year' },
      searched[1],
    ];
    const { status, warnings } = await ask({ messages: [{ role: 'assistant', content }, user] });
    expect(status).toBe(200);
    for (const type of ['fallback', 'a_type_of_next_year', 'web_search_tool_result'])
      expect(warnings).toContain(`content.${type} left out`);
    expect(last().body.messages).toEqual([{ role: 'assistant', content: 'We built a gate.' }, user]);
  });

  it('names the tools that a search of the client has found', async () => {
    callNext();
    const found = { type: 'tool_result', tool_use_id: 't', content: [{ type: 'tool_reference', tool_name: 'f' }] };
    const messages = [
      user,
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'ToolSearch', input: {} }] },
      { role: 'user', content: [found] },
    ];
    expect((await ask({ tools: [{ ...f, defer_loading: true }], messages })).status).toBe(200);
    expect(last().body.messages[2]).toEqual({ role: 'tool', tool_call_id: 't', content: 'Found the tool f.' });
  });
});
