/**
 * The first three turns of OpenAI's Codex 0.171, as it sends them to a custom provider, in their shortest form: once for a model that it
 * knows by `additional_tools` and namespaces alone, once for one with tools of every type.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'V',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'team', spec: { deployments: [{ provider: 'V', model: 'm' }] } });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

type Item = Readonly<Record<string, unknown>>;

const last = (): VendorRequest => vendor.requests.at(-1) as VendorRequest;
const text = (words: string) => [{ type: 'input_text', text: words }];
const message = (role: string, words: string): Item => ({ type: 'message', id: `msg_${role}`, role, content: text(words) });

/** The vendor's model thinks, then calls one function or says a word. */
function next(call: { readonly name: string; readonly arguments: object } | null): void {
  vendor.behave((_request, response) => {
    const chunk = (delta: object, reason: string | null = null): string =>
      `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ role: 'assistant', reasoning_content: 'hm' }));
    if (call === null) response.write(chunk({ content: 'done' }));
    else {
      const given = JSON.stringify(call.arguments);
      const id = `call_${vendor.requests.length}`;
      response.write(chunk({ tool_calls: [{ index: 0, id, type: 'function', function: { name: call.name, arguments: '' } }] }));
      for (let at = 0; at < given.length; at += 5)
        response.write(chunk({ tool_calls: [{ index: 0, function: { arguments: given.slice(at, at + 5) } }] }));
    }
    response.end(`${chunk({}, call === null ? 'stop' : 'tool_calls')}data: [DONE]\n\n`);
  });
}

/** One turn as Codex takes it: the items of `response.output_item.done`. */
async function turn(input: readonly Item[], more: object): Promise<Item[]> {
  const answer = await gateway.as(
    'developer',
    'POST',
    '/v1/responses',
    {
      model: 'team',
      input,
      stream: true,
      store: false,
      tool_choice: 'auto',
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: 'thread',
      client_metadata: { thread_id: 'thread', 'x-codex-turn-metadata': '{}' },
      ...more,
    },
    { originator: 'codex_exec', 'x-codex-beta-features': 'remote_compaction_v2', 'x-openai-internal-codex-responses-lite': 'true' },
  );
  expect(answer.status, answer.text).toBe(200);
  const events = [...answer.text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] as string));
  expect(events.at(-1).type).toBe('response.completed');
  return events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item as Item);
}

const fn = (name: string): Item => ({
  type: 'function',
  name,
  description: name,
  strict: false,
  parameters: { type: 'object', properties: {} },
});
const grammar = { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' };
const names = (): string[] => last().body.tools.map((tool: { function: { name: string } }) => tool.function.name);
const reasoning = { type: 'reasoning', status: 'completed' };

it('a model with tools in namespaces of the input runs code, starts an agent and ends', async () => {
  const tools = [
    {
      type: 'namespace',
      name: 'functions',
      description: '',
      tools: [{ type: 'custom', name: 'exec', description: 'Runs code', format: grammar }, fn('wait')],
    },
    { type: 'namespace', name: 'collaboration', description: 'Agents.', tools: [fn('spawn_agent'), fn('wait_agent')] },
  ];
  const settings = { parallel_tool_calls: false, reasoning: { effort: 'low', context: 'all_turns' }, text: { verbosity: 'low' } };
  const start: Item[] = [
    { type: 'additional_tools', id: 'at_1', role: 'developer', tools },
    message('developer', 'You are an agent.'),
    message('user', 'do the work'),
  ];

  next({ name: 'exec', arguments: { input: 'text("你好")' } });
  const first = await turn(start, settings);
  expect(names()).toEqual(['exec', 'wait', 'collaboration__spawn_agent', 'collaboration__wait_agent']);
  expect(first).toMatchObject([
    { ...reasoning, content: [{ type: 'reasoning_text', text: 'hm' }] },
    { type: 'custom_tool_call', namespace: 'functions', name: 'exec', input: 'text("你好")', status: 'completed' },
  ]);

  const result = { type: 'custom_tool_call_output', id: 'ctco_1', call_id: first[1]?.['call_id'], output: text('你好') };
  next({ name: 'collaboration__spawn_agent', arguments: { task_name: 'sub' } });
  const second = await turn([...start, ...first, result], settings);
  expect(second.at(-1)).toMatchObject({
    type: 'function_call',
    namespace: 'collaboration',
    name: 'spawn_agent',
    arguments: '{"task_name":"sub"}',
  });

  const spawned = { type: 'function_call_output', id: 'fco_1', call_id: second.at(-1)?.['call_id'], output: '{"task_name":"main/sub"}' };
  next(null);
  const third = await turn([...start, ...first, result, ...second, spawned], settings);
  expect(third).toMatchObject([reasoning, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] }]);
  expect(last().body.messages.slice(2)).toMatchObject([
    { role: 'assistant', tool_calls: [{ function: { name: 'exec', arguments: '{"input":"text(\\"你好\\")"}' } }] },
    { role: 'tool', tool_call_id: first[1]?.['call_id'], content: '你好' },
    { role: 'assistant', tool_calls: [{ function: { name: 'collaboration__spawn_agent' } }] },
    { role: 'tool', content: '{"task_name":"main/sub"}' },
  ]);
});

describe('a model with tools of every type', () => {
  const tools = [
    fn('exec_command'),
    { type: 'custom', name: 'apply_patch', description: 'Edits files.', format: grammar },
    { type: 'namespace', name: 'multi_agent_v1', description: 'Agents.', tools: [fn('spawn_agent')] },
    {
      type: 'tool_search',
      execution: 'client',
      description: 'Searches.',
      parameters: { type: 'object', properties: { query: { type: 'string' } } },
    },
    { type: 'web_search', external_web_access: true, search_content_types: ['text', 'image'] },
  ];
  const start = [message('developer', 'You are an agent.'), message('user', 'do the work')];

  it('runs a command, edits a file, and finds a tool', async () => {
    next({ name: 'exec_command', arguments: { cmd: 'ls' } });
    const first = await turn(start, { tools, reasoning: { summary: 'auto' } });
    expect(names()).toEqual(['exec_command', 'apply_patch', 'multi_agent_v1__spawn_agent', 'tool_search']);
    expect(first).toMatchObject([
      { ...reasoning, summary: [{ type: 'summary_text', text: 'hm' }] },
      { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls"}' },
    ]);

    const patch = '*** Begin Patch\n*** Add File: b.txt\n+hello\n*** End Patch\n';
    const ran = { type: 'function_call_output', call_id: first[1]?.['call_id'], output: 'a.txt' };
    next({ name: 'apply_patch', arguments: { input: patch } });
    const second = await turn([...start, ...first, ran], { tools });
    expect(second.at(-1)).toMatchObject({ type: 'custom_tool_call', name: 'apply_patch', input: patch });

    const edited = { type: 'custom_tool_call_output', call_id: second.at(-1)?.['call_id'], output: 'Success.' };
    next({ name: 'tool_search', arguments: { query: 'echo' } });
    const third = await turn([...start, ...first, ran, ...second, edited], { tools });
    expect(third.at(-1)).toMatchObject({
      type: 'tool_search_call',
      execution: 'client',
      arguments: { query: 'echo' },
      status: 'completed',
    });

    const found = { type: 'namespace', name: 'mcp__echo', description: '', tools: [{ ...fn('echo'), defer_loading: true }] };
    const output = {
      type: 'tool_search_output',
      call_id: third.at(-1)?.['call_id'],
      status: 'completed',
      execution: 'client',
      tools: [found],
    };
    next({ name: 'mcp__echo__echo', arguments: { text: 'x' } });
    const fourth = await turn([...start, ...third, output], { tools });
    expect(names()).toContain('mcp__echo__echo');
    expect(fourth.at(-1)).toMatchObject({ type: 'function_call', namespace: 'mcp__echo', name: 'echo' });
  });
});
