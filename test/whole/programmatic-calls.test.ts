/** Tool calls that the vendor's code execution made. With a result in the answer Pailou does not run them; without one, the caller does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const provider = { kind: 'anthropic', options: { api_key: 'sk', base_url: vendor.url, finish_reasons: { a_newer_word: 'stop' } } };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'claude', spec: provider });
  await gateway.as('admin', 'POST', '/api/models', { name: 'claude', spec: { deployments: [{ provider: 'claude', model: 'claude-x' }] } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

type Block = Record<string, unknown>;
const caller = { type: 'code_execution_20250825', tool_id: 'srvtoolu_1' };
const code: Block = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'code_execution', input: { code: 'await weather()' } };
const call = (id: string, by: object | undefined = caller): Block => ({
  type: 'tool_use',
  id,
  name: 'weather',
  input: { city: id },
  ...(by === undefined ? {} : { caller: by }),
});
const result = (id: string): Block => ({ type: 'tool_result', tool_use_id: id, content: '20 degrees' });
const codeResult: Block = { type: 'code_execution_tool_result', tool_use_id: 'srvtoolu_1', content: { stdout: '20' } };
const text: Block = { type: 'text', text: 'It is warm.' };
const ran = ['a', 'b', 'c', 'd'].flatMap((id) => [call(id), result(id)]);

function respond(content: readonly Block[], stop: string): void {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', stop_sequence: null };
  const usage = { input_tokens: 5, output_tokens: 2 };
  vendor.behave((request, response) => {
    if (request.body.stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...message, content, stop_reason: stop, usage }));
      return;
    }
    const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
    const blocks = content.map((block, index) => {
      const input = block['type'] === 'tool_use' ? JSON.stringify(block['input']) : null;
      const words = block['type'] === 'text' ? String(block['text']) : null;
      const begun = input !== null ? { ...block, input: {} } : words !== null ? { ...block, text: '' } : block;
      const delta =
        input !== null
          ? [
              { type: 'input_json_delta', partial_json: input.slice(0, 4) },
              { type: 'input_json_delta', partial_json: input.slice(4) },
            ]
          : words !== null
            ? [{ type: 'text_delta', text: words }]
            : [];
      return [
        event('content_block_start', { index, content_block: begun }),
        ...delta.map((each) => event('content_block_delta', { index, delta: each })),
        event('content_block_stop', { index }),
      ].join('');
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event('message_start', { message: { ...message, content: [], stop_reason: null, usage } }));
    for (const block of blocks) response.write(block);
    response.write(event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage }));
    response.end(event('message_stop', {}));
  });
}

interface ClientMessage {
  readonly content: readonly Block[];
  readonly stop: unknown;
}

/** The message that a client of the vendor's own format puts together. */
async function askMessages(stream: boolean): Promise<ClientMessage> {
  const body = { model: 'claude', max_tokens: 100, stream, messages: [{ role: 'user', content: 'Hi' }] };
  const answer = await gateway.as('developer', 'POST', '/v1/messages', body);
  if (!stream) return { content: answer.json.content, stop: answer.json.stop_reason };
  const content: Block[] = [];
  let input = '';
  let stop: unknown = null;
  for (const line of answer.text.split('\n').filter((each) => each.startsWith('data: '))) {
    const event = JSON.parse(line.slice(6));
    if (event.type === 'content_block_start') content[event.index] = event.content_block;
    const block = content[event.index];
    if (event.delta?.type === 'text_delta' && block !== undefined) block['text'] = String(block['text']) + event.delta.text;
    if (event.delta?.type === 'input_json_delta') input += event.delta.partial_json;
    if (event.type === 'content_block_stop' && input !== '' && block !== undefined) {
      block['input'] = JSON.parse(input);
      input = '';
    }
    if (event.type === 'message_delta') stop = event.delta.stop_reason;
  }
  return { content, stop };
}

async function askChat(stream: boolean): Promise<{ ids: readonly string[]; finish: unknown; said: string }> {
  const body = { model: 'claude', stream, messages: [{ role: 'user', content: 'Hi' }] };
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', body);
  // oxlint-disable-next-line no-explicit-any -- tests look into bodies of every shape
  const parts: any[] = stream
    ? answer.text
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)).choices[0])
        .filter((choice) => choice !== undefined)
    : answer.json.choices;
  const messages = parts.map((each) => each.delta ?? each.message);
  const calls = messages.flatMap((each) => each.tool_calls ?? []);
  return {
    ids: calls.flatMap((each) => (each.id === undefined ? [] : [each.id])),
    finish: parts.at(-1).finish_reason,
    said: messages.map((each) => each.content ?? '').join(''),
  };
}

async function callsOfResponses(): Promise<readonly string[]> {
  const answer = await gateway.as('developer', 'POST', '/v1/responses', { model: 'claude', input: 'Hi' });
  return answer.json.output.filter((item: Block) => item['type'] === 'function_call').map((item: Block) => item['call_id']);
}

describe.each([true, false])('streamed: %s', (stream) => {
  it('calls with results in the answer are not calls of the caller, and the blocks are unchanged', async () => {
    const content = [code, ...ran, codeResult, text];
    respond(content, 'end_turn');
    expect(await askMessages(stream)).toEqual({ content, stop: 'end_turn' });
    expect(await askChat(stream)).toEqual({ ids: [], finish: 'stop', said: 'It is warm.' });
    expect(await callsOfResponses()).toEqual([]);
  });

  it('calls without a result are not calls of the caller when the answer ends its turn', async () => {
    const content = [code, call('a'), call('b'), codeResult, text];
    respond(content, 'end_turn');
    expect(await askMessages(stream)).toEqual({ content, stop: 'end_turn' });
    expect(await askChat(stream)).toMatchObject({ ids: [], finish: 'stop' });
  });

  it('a call that the code waits for is the caller’s, beside finished ones', async () => {
    const content = [code, call('a'), result('a'), call('b')];
    respond(content, 'tool_use');
    expect(await askMessages(stream)).toEqual({ content, stop: 'tool_use' });
    expect(await askChat(stream)).toMatchObject({ ids: ['b'], finish: 'tool_calls' });
    expect(await callsOfResponses()).toEqual(['b']);
  });

  it('calls of a finished program are not calls of the caller beside a call of the model', async () => {
    const content = [code, call('a'), codeResult, text, call('b', { type: 'direct' })];
    respond(content, 'tool_use');
    expect(await askMessages(stream)).toEqual({ content, stop: 'tool_use' });
    expect(await askChat(stream)).toMatchObject({ ids: ['b'], finish: 'tool_calls' });
  });

  it('a call of the model itself remains a call', async () => {
    const content = [text, call('a', { type: 'direct' }), call('b', undefined)];
    respond(content, 'tool_use');
    expect(await askMessages(stream)).toEqual({ content, stop: 'tool_use' });
    expect(await askChat(stream)).toMatchObject({ ids: ['a', 'b'], finish: 'tool_calls' });
  });

  it('calls of MCP servers and of the vendor’s own tools are not calls of the caller', async () => {
    const mcp = { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'read', server_name: 'files', input: {} };
    const mcpResult = { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1', is_error: false, content: [] };
    const content = [mcp, mcpResult, code, codeResult, text];
    respond(content, 'end_turn');
    expect(await askMessages(stream)).toEqual({ content, stop: 'end_turn' });
    expect(await askChat(stream)).toMatchObject({ ids: [], finish: 'stop' });
  });

  it.each(['pause_turn', 'max_tokens', 'stop_sequence', 'a_newer_word'])('the vendor’s own stop reason is kept: %s', async (stop) => {
    respond([text], stop);
    expect((await askMessages(stream)).stop).toBe(stop);
  });
});
