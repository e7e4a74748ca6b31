/** Vendors that think for long: a stream is never silent for longer than its callers' proxies allow, and failover goes on behind it. */
import Anthropic from '@anthropic-ai/sdk';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { chunks, completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let token: string;

beforeAll(async () => {
  gateway = await startGateway({ PAILOU_PING_SECONDS: '1' });
  vendor = await startVendor();
  token = await gateway.token('developer');
  const spec = { kind: 'openai-compatible', options: { base_url: vendor.url } };
  for (const name of ['one', 'two']) expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec })).status).toBe(201);
  const deployments = [
    { provider: 'one', model: 'first' },
    { provider: 'two', model: 'second', tier: 1 },
  ];
  const limits = { attempts: 2, first_byte_ms: 60_000 };
  const models = {
    slow: { deployments, limits, retry: { same: 0 }, circuit: { failures: 1_000, minimum: 1_000 } },
    // The vendor may be silent for half a second.
    hasty: { deployments, limits: { ...limits, first_byte_ms: 500 } },
  };
  for (const [name, model] of Object.entries(models)) {
    const made = await gateway.as('admin', 'POST', '/api/models', { name, spec: model });
    expect(made.status, made.text).toBe(201);
  }
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const answer = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(chunks(['It ', 'rains.']).join(''));
};

const faces = {
  '/v1/chat/completions': { messages: [{ role: 'user', content: 'x' }], stream_options: { include_usage: true } },
  '/v1/responses': { input: 'x', store: false },
  '/v1/messages': { messages: [{ role: 'user', content: 'x' }], max_tokens: 100 },
};

interface OpenStream {
  readonly headers: Headers;
  /** The text up to the first place that matches, or to the end. */
  until(pattern: RegExp): Promise<string>;
  rest(): Promise<string>;
}

async function open(path: string, body: object): Promise<OpenStream> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'slow', stream: true, ...body }),
  });
  expect(response.status).toBe(200);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(text)) {
      const { done, value } = await reader.read();
      if (done) break;
      text += Buffer.from(value).toString();
    }
    return text;
  };
  return { headers: response.headers, until, rest: () => until(/^\b$/) };
}

const pings: Readonly<Record<string, RegExp>> = {
  '/v1/chat/completions': /: still here\n\n/,
  '/v1/responses': /: still here\n\n/,
  '/v1/messages': /event: ping\ndata: \{"type":"ping"\}\n\n/,
};

describe.each(Object.entries(faces))('%s', (path, body) => {
  const ping = pings[path] as RegExp;

  it('is told that the vendor thinks, and gets the whole answer of the second deployment after the first has failed', async () => {
    const held = Promise.withResolvers<ServerResponse>();
    vendor.behave((request, response) => (request.body.model === 'first' ? held.resolve(response) : answer(response)));
    const stream = await open(path, body);
    expect(stream.headers.get('x-pailou-deployment')).toBeNull();
    const trace = stream.headers.get('x-pailou-trace-id');
    expect(trace).toMatch(/^[0-9a-f-]{36}$/);
    // Two periods of silence, and nothing but them.
    const twice = new RegExp(`^(${ping.source}){2}`);
    expect(await stream.until(twice)).toMatch(new RegExp(`^(${ping.source})+$`));
    (await held.promise).writeHead(503).end('{}');
    const text = await stream.rest();
    expect(text).toContain('rains.');
    expect(text).not.toMatch(/event: error|"error":\{/);
    expect(text).toContain(`"deployment":"slow#two/second","attempts":2,`);
    expect(text).toContain(`"trace_id":"${trace}"`);
    await expect.poll(async () => (await gateway.as('admin', 'GET', `/api/runs/${trace}`)).status).toBe(200);
  });

  it('gets an error event when no deployment answers after all', async () => {
    const held: ServerResponse[] = [];
    vendor.behave((_request, response) => void held.push(response));
    const stream = await open(path, body);
    await stream.until(ping);
    for (let each = 0; each < 2; each++) {
      await expect.poll(() => held.length).toBe(each + 1);
      held[each]?.writeHead(503).end('{}');
    }
    const text = await stream.rest();
    expect(text).toMatch(/"(code|error_code)":"upstream_unavailable"/);
    expect(text).not.toMatch(/\[DONE\]|response\.completed|message_stop/);
  });

  it('is not silent between two words', async () => {
    const held = Promise.withResolvers<ServerResponse>();
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['It ', 'rains.']).slice(0, 2).join(''));
      held.resolve(response);
    });
    const stream = await open(path, body);
    expect(stream.headers.get('x-pailou-deployment')).toBe('slow#one/first');
    await stream.until(new RegExp(`It [^]*${ping.source}`));
    (await held.promise).end(chunks(['It ', 'rains.']).slice(2).join(''));
    const text = await stream.rest();
    expect(text).toContain('rains.');
    expect(text).not.toContain('"deployment"');
  });
});

it('the official clients read such a stream as any other', async () => {
  const hold = (): Promise<ServerResponse> => {
    const held = Promise.withResolvers<ServerResponse>();
    vendor.behave((_request, response) => held.resolve(response));
    return held.promise;
  };
  const late = async (waiting: Promise<ServerResponse>, begun: Promise<unknown>): Promise<void> => {
    const response = await waiting;
    // The headers arrive while the vendor is still silent.
    await begun;
    answer(response);
  };
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: gateway.url, authToken: token, apiKey: null, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'x' }];

  let held = hold();
  const chat = openai.chat.completions.stream({ model: 'slow', messages });
  await late(held, new Promise((resolve) => chat.on('connect', () => resolve(null))));
  expect((await chat.finalMessage()).content).toBe('It rains.');

  held = hold();
  const created = openai.responses.create({ model: 'slow', input: 'x', stream: true });
  await late(held, created);
  const types: string[] = [];
  for await (const event of await created) types.push(event.type);
  expect(types.at(-1)).toBe('response.completed');

  held = hold();
  const message = anthropic.messages.stream({ model: 'slow', max_tokens: 100, messages });
  await late(held, new Promise((resolve) => message.on('connect', () => resolve(null))));
  expect(await message.finalText()).toBe('It rains.');
});

it('a whole answer whose vendor sends no byte goes to the next deployment', async () => {
  vendor.behave((request, response) => {
    if (request.body.model !== 'first')
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ choices: [{ index: 0, message: { content: 'ok' }, finish_reason: 'stop' }] }));
  });
  const { status, headers } = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'hasty',
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(status).toBe(200);
  expect(headers.get('x-pailou-deployment')).toBe('hasty#two/second');
});

describe('an MCP call', () => {
  const whole = (request: VendorRequest, response: ServerResponse): void => {
    if (request.body.stream === true) answer(response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(completion('It rains.'));
  };
  beforeAll(async () => {
    const spec = { kind: 'prompt', description: 'Thinks.', model: 'slow', options: { instructions: 'Think.' } };
    expect((await gateway.as('admin', 'POST', '/api/skills', { name: 'thinks', spec })).status).toBe(201);
  });

  const post = async (message: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, ...message }),
    });
  const call = { method: 'tools/call', params: { name: 'skill__thinks', arguments: { text: 'x' } } };

  /** The text of the answer when the vendor answers only after the first comment. */
  async function heard(headers: Record<string, string> = {}): Promise<string> {
    const held = Promise.withResolvers<() => void>();
    vendor.behave((request, response) => held.resolve(() => whole(request, response)));
    const response = await post(call, headers);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    let text = '';
    for await (const part of response.body as ReadableStream<Uint8Array>) {
      const wasSilent = !text.includes(': still here');
      text += Buffer.from(part).toString();
      if (wasSilent && text.includes(': still here')) (await held.promise)();
    }
    return text;
  }

  it('is not silent while its tool works, without a session', async () => {
    expect(await heard()).toMatch(/: still here\n\n(.|\n)*"text":"It rains\."/);
  });

  it('is not silent while its tool works, in a session, and neither is the stream on which the client listens', async () => {
    const clientInfo = { name: 'c', version: '1' };
    const opened = await post({ method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': '2025-06-18' };
    await opened.text();
    expect(await heard(session)).toMatch(/: still here\n\n(.|\n)*"text":"It rains\."/);
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...session };
    const listening = await fetch(`${gateway.url}/mcp`, { headers });
    let text = '';
    for await (const part of listening.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(part).toString();
      if (text.includes(': still here')) break;
    }
  });

  it('is read by the official client as any other, with a failure as the failure that it is', async () => {
    const client = new Client({ name: 'c', version: '1' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
    );
    vendor.behave(async (request, response) => {
      await sleep(1_500);
      whole(request, response);
    });
    const { content } = await client.callTool({ name: 'skill__thinks', arguments: { text: 'x' } });
    expect(content).toMatchObject([{ type: 'text', text: 'It rains.' }]);
    await expect(client.callTool({ name: 'nothing', arguments: {} })).rejects.toThrow(/nothing/);
    await client.close();
  });
});
