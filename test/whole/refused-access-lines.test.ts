/** The access log of a process: one line for each call and for each refused request, without tokens and prompts; in one process and with workers. */
import { expect, it } from 'vitest';
import { eventually, startGateway, startProcess } from './gateway.ts';

const body = (model: string) => ({ model, messages: [{ role: 'user', content: 'PROMPT-CANARY' }] });

it.each([1, 2])(
  'has one line for each call and each refusal, with %i processes',
  async (workers) => {
    let running: Awaited<ReturnType<typeof startProcess>> | undefined;
    await using gateway = await startGateway(
      { PAILOU_ACCESS_LOG: 'on', PAILOU_WORKERS: String(workers) },
      async (env) => (running = await startProcess(env)),
    );
    const limit = { subject_type: 'user', subject: 'developer', requests_per_minute: 1 };
    expect((await gateway.as('admin', 'POST', '/api/limits', { name: 'one', spec: limit })).status).toBe(201);
    const call = (role: 'admin' | 'developer' | 'viewer', model: string, id: string) =>
      gateway.as(role, 'POST', '/v1/chat/completions', body(model), { 'x-request-id': id });
    expect((await call('developer', 'demo/echo', 'whole')).status).toBe(200);
    expect((await call('developer', 'demo/echo', 'limited')).status).toBe(429);
    expect((await call('viewer', 'demo/echo', 'denied')).status).toBe(403);
    expect((await call('admin', 'none', 'missing')).status).toBe(404);
    const wrong = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer TOKEN-CANARY', 'content-type': 'application/json', 'x-request-id': 'unknown' },
      body: JSON.stringify(body('demo/echo')),
    });
    expect(wrong.status).toBe(401);
    // Errors of JSON-RPC, most of them with HTTP 200.
    const rpc = (role: 'admin' | 'viewer', id: string, method: string, params: object, more: Record<string, string> = {}) => {
      const accept = { accept: 'application/json, text/event-stream', 'x-request-id': id };
      return gateway.as(role, 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method, params }, { ...accept, ...more });
    };
    const tool = { name: 'demo__calculate', arguments: { expression: '1+1' } };
    expect((await rpc('admin', 'tool', 'tools/call', tool)).text).toContain('2');
    const malformed = { name: 'demo__calculate', arguments: { expression: '1+' } };
    expect((await rpc('admin', 'tool-failed', 'tools/call', malformed)).text).toMatch(/error/i);
    expect((await rpc('viewer', 'tool-denied', 'tools/call', tool)).text).toContain('"error"');
    expect((await rpc('admin', 'tool-missing', 'tools/call', { name: 'none' })).text).toContain('"error"');
    expect((await rpc('admin', 'method-missing', 'no/such', {})).text).toContain('"error"');
    expect((await rpc('admin', 'bad-params', 'tools/call', {})).text).toContain('"error"');
    expect((await rpc('admin', 'file-missing', 'resources/read', { uri: 'file:///none' })).text).toContain('"error"');
    expect((await rpc('admin', 'session-missing', 'tools/list', {}, { 'mcp-session-id': 'none' })).status).toBe(404);
    const ofMcp = ['tool', 'tool-failed', 'tool-denied', 'tool-missing', 'method-missing', 'bad-params', 'file-missing', 'session-missing'];
    const ids = ['whole', 'limited', 'denied', 'missing', 'unknown', ...ofMcp];
    const lines = () =>
      (running?.output() ?? '')
        .split('\n')
        .filter((line) => line.startsWith('{') && line.includes('"request_id"'))
        .map((line) => JSON.parse(line) as { request_id: string; msg: string; status: number; subject: string | null; route?: string });
    await eventually(
      async () => lines(),
      (found) => ids.every((id) => found.some(({ request_id }) => request_id === id)),
    );
    const found = lines().filter(({ request_id }) => ids.includes(request_id));
    expect(found.toSorted((one, other) => ids.indexOf(one.request_id) - ids.indexOf(other.request_id))).toMatchObject([
      { msg: 'call', status: 200, subject: 'developer' },
      { status: 429, subject: 'developer' },
      { msg: 'refused', status: 403, subject: 'viewer', route: 'POST /v1/chat/completions' },
      { msg: 'refused', status: 404, subject: 'admin' },
      { msg: 'refused', status: 401, subject: null },
      { msg: 'call', status: 200, subject: 'admin' },
      { msg: 'call', code: 'tool_failed' },
      { msg: 'refused', code: 'permission_denied', subject: 'viewer', route: 'POST /mcp' },
      { msg: 'refused', code: 'not_found' },
      { msg: 'refused', code: 'not_found' },
      { msg: 'refused', code: 'invalid_request' },
      { msg: 'refused', code: 'invalid_request' },
      { msg: 'refused', code: 'not_found', status: 404 },
    ]);
    expect(running?.output()).not.toContain('CANARY');
  },
  240_000,
);
