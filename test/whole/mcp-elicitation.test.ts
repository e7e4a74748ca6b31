/** Elicitation: questions of a server to the person during a tool call, for servers and clients of either protocol era. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUpstream, type Upstream } from '../../conformance/upstream.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let upstream: Upstream;
const owned = new AsyncDisposableStack();
beforeAll(async () => {
  upstream = owned.use(await startUpstream());
  gateway = owned.use(await startGateway());
  for (const [name, options] of Object.entries({
    old: { protocol: 'legacy', sessions: 'user' },
    shared: { protocol: 'legacy', sessions: 'shared' },
    new: { protocol: 'modern', sessions: 'shared' },
  })) {
    const spec = { kind: 'http', options: { url: upstream.url, ...options }, call_timeout_ms: 2_000 };
    const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec });
    expect(made.status, made.text).toBe(201);
  }
});
afterAll(() => owned.disposeAsync());

type Mode = 'legacy' | 'auto';

async function connect(path: string, mode: Mode, capabilities: object): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode }, capabilities });
  const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`), { requestInit: { headers } }));
  await eventually(
    async () => (await client.listTools()).tools.length,
    (count) => count > 0,
  );
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
const textOf = (result: unknown): string => JSON.stringify((result as { content: unknown }).content);

describe.each<Mode>(['legacy', 'auto'])('a client of the era %s', (mode) => {
  it('answers a server of the legacy protocol, however long the person takes', async () => {
    await using client = await connect('/mcp/old', mode, { elicitation: { form: {} }, sampling: {} });
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      expect(params.message).toBe('Who are you?');
      // Longer than the time limit of a call, because a person's time does not count.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return { action: 'accept', content: { username: 'Li Na', email: 'li@example.com' } };
    });
    client.setRequestHandler('sampling/createMessage', async ({ params }) => {
      expect(JSON.stringify(params.messages)).toContain('Say hello');
      return { model: 'm', role: 'assistant', content: { type: 'text', text: 'hello from the model' } };
    });
    const asked = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who are you?' } });
    expect(textOf(asked)).toContain('action=accept');
    expect(textOf(asked)).toContain('Li Na');
    expect(textOf(await client.callTool({ name: 'test_sampling', arguments: { prompt: 'Say hello' } }))).toContain('hello from the model');
  });

  it('answers a server of the stateless protocol', async () => {
    await using client = await connect('/mcp/new', mode, { elicitation: { form: {} } });
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Li Na' } }));
    expect(textOf(await client.callTool({ name: 'test_input_required_result_elicitation', arguments: {} }))).toContain('Li Na');
  });

  it('gets no question from a server with a shared session, and the server gets an error', async () => {
    await using client = await connect('/mcp/shared', mode, { elicitation: { form: {} } });
    let asked = 0;
    client.setRequestHandler('elicitation/create', async () => {
      asked++;
      return { action: 'accept', content: {} };
    });
    const refused = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who?' } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(/does not support/);
    expect(asked).toBe(0);
  });

  it('without elicitation gets an error immediately', async () => {
    await using client = await connect('/mcp/old', mode, {});
    const refused = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who?' } });
    expect(refused.isError).toBe(true);
  });
});

describe('a pending question', () => {
  it('is answered by its own person, in its own call, once', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
    };
    const call = async (role: 'developer' | 'admin', message: string, extra: object = {}) => {
      const params = { name: 'test_elicitation', arguments: { message }, ...extra, _meta: meta };
      const headers = {
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'test_elicitation',
      };
      return (await gateway.as(role, 'POST', '/mcp/old', { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers)).json as {
        result?: { resultType: string; requestState: string; inputRequests: Record<string, object> };
        error?: { message: string };
      };
    };
    const { result } = await call('developer', 'Who?');
    expect(result?.resultType).toBe('input_required');
    const { requestState, inputRequests } = result as NonNullable<typeof result>;
    const [key = ''] = Object.keys(inputRequests);
    const answer = { requestState, inputResponses: { [key]: { action: 'accept', content: { username: 'x', email: 'x@example.com' } } } };
    expect((await call('admin', 'Who?', answer)).error?.message).toContain('no longer holds the call');
    expect((await call('developer', 'Another?', answer)).error?.message).toContain('no longer holds the call');
    // Without an answer the question stays open.
    expect((await call('developer', 'Who?', { requestState })).result?.resultType).toBe('input_required');
    expect(JSON.stringify((await call('developer', 'Who?', answer)).result)).toContain('action=accept');
  });
});
