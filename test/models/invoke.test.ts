import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import openai from '../../src/models/vendor-formats/openai/plugin.ts';
import { createModelInvoker, type ModelInvoker } from '../../src/models/invoke.ts';
import { createOutboundClient, type OutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import type { ChatEvent, ChatRequest } from '../../src/types/chat.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { PluginServices, Provider } from '../../src/types/plugin.ts';
import type { Deployment } from '../../src/types/snapshot.ts';
import { openChat } from './open-chat.ts';

type Vendor = (request: IncomingMessage & { body: string }, response: ServerResponse) => void;

let vendor: Vendor;
let base: string;
let client: OutboundClient;
let invoker: ModelInvoker;
let connections = 0;
const server = createServer((request, response) => {
  readText(request).then(
    (body) => vendor(Object.assign(request, { body }), response),
    () => response.destroy(),
  );
});
server.on('connection', () => connections++);

beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createOutboundClient(createOutboundGuard({ allow: ['127.0.0.0/8'] }));
  const format = await openai.create({}, {} as PluginServices);
  invoker = createModelInvoker({
    client,
    format: (kind) => (kind === 'openai' ? format : undefined),
    pictures: { inline: (request) => Promise.resolve(request) },
  });
  connections = 0;
});

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function deployment(provider: Partial<Provider> = {}): Deployment {
  const instance: Provider = {
    formats: { chat: 'openai', embeddings: 'openai' },
    address: (call) => `${base}/v1/${call.operation === 'chat' ? 'chat/completions' : 'embeddings'}`,
    authorize: (headers) => {
      headers['authorization'] = 'Bearer key';
    },
    ...provider,
  };
  return {
    id: 'm#p/vendor-model',
    key: 'tests m#p/vendor-model',
    limits: {},
    provider: { id: '1', name: 'p', kind: 'test', instance },
    model: 'vendor-model',
    weight: 1,
    tier: 0,
    price: null,
    alwaysStream: false,
    prefill: false,
  };
}

const request: ChatRequest = { body: { model: 'public', messages: [{ role: 'user', content: 'hi' }], temperature: 3 } };

async function chat(stream = true, provider: Partial<Provider> = {}, signal = new AbortController().signal): Promise<ChatEvent[]> {
  const { events } = await openChat(invoker, deployment(provider), request, { stream, signal });
  const all: ChatEvent[] = [];
  for await (const batch of events) all.push(...batch);
  return all;
}

function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}

const whole = JSON.stringify({
  id: 'x',
  choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
});
const parts = [
  'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
  'data: {"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}\n\n',
  'data: [DONE]\n\n',
];

function json(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

function startStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

describe('a model call', () => {
  test.each([
    ['a whole answer that calls itself a stream', 'text/event-stream', whole, true],
    ['a whole answer that calls itself text', 'text/event-stream', `  ${whole}`, false],
    ['a stream that calls itself JSON', 'application/json', parts.join(''), true],
    ['a stream that nobody asked for and that calls itself JSON', 'application/json', `: hello\n\n${parts.join('')}`, false],
  ])('reads %s', async (_what, type, body, stream) => {
    vendor = (_incoming, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write(body.slice(0, 20));
      setTimeout(() => response.end(body.slice(20)), 20);
    };
    const events = await chat(stream);
    expect(textOf(events)).toBe(body.includes('whole') ? 'whole' : 'ab');
    expect(events.at(-1)?.type).toBe('response-end');
  });

  test('buffers the stream of a model that only streams, and reports what the dialect omitted', async () => {
    let asked: unknown;
    vendor = (incoming, response) => {
      asked = JSON.parse(incoming.body);
      startStream(response).end(parts.join(''));
    };
    const provider: Partial<Provider> = {
      mustStream: (model) => model === 'vendor-model',
      adjust({ temperature: _temperature, ...body }, call) {
        call.warn('temperature left out: test has none');
        return body;
      },
    };
    const { events, warnings } = await openChat(invoker, deployment(provider), request, { stream: false });
    let said = '';
    for await (const batch of events) said += textOf([...batch]);
    expect(said).toBe('ab');
    expect(asked).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(asked).not.toHaveProperty('temperature');
    expect(warnings).toEqual(['temperature left out: test has none']);
  });

  test('sends the vendor its model, credential and the unknown fields', async () => {
    let seen: unknown;
    vendor = (incoming, response) => {
      seen = {
        url: incoming.url,
        key: incoming.headers.authorization,
        accept: incoming.headers.accept,
        body: JSON.parse(incoming.body) as unknown,
      };
      json(response, 200, whole);
    };
    expect(textOf(await chat(false))).toBe('whole');
    expect(seen).toEqual({
      url: '/v1/chat/completions',
      key: 'Bearer key',
      accept: 'application/json',
      body: { model: 'vendor-model', messages: [{ role: 'user', content: 'hi' }], temperature: 3 },
    });
    await chat(true, {
      authorize: async (headers) => {
        headers['api-key'] = 'later';
      },
      adjust: ({ temperature: _dropped, ...rest }, call) => ({ ...rest, top: call.model }),
    });
    expect(seen).toMatchObject({
      body: { model: 'vendor-model', stream: true, stream_options: { include_usage: true }, top: 'vendor-model' },
    });
    expect((seen as { body: object }).body).not.toHaveProperty('temperature');
  });

  test('forwards the events of a stream as they arrive and keeps the connection for the next call', async () => {
    vendor = (_incoming, response) => {
      startStream(response);
      for (const part of parts) response.write(part);
      setTimeout(() => response.end(), 20);
    };
    for (let call = 0; call < 4; call++) {
      const events = await chat();
      expect(textOf(events)).toBe('ab');
      expect(events.at(-1)?.type).toBe('response-end');
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(connections).toBeLessThan(3);
  });

  test.each([
    ['[DONE]', 'data: [DONE]\n\n'],
    ['the usage chunk', 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'],
  ])('is complete with %s, although the vendor keeps the connection open', async (_name, last) => {
    vendor = (_incoming, response) => void startStream(response).write(`${parts[0]}${parts[1]}${last}`);
    const events = await chat();
    expect(textOf(events)).toBe('ab');
    expect(events.at(-1)?.type).toBe('response-end');
  });

  test('accepts a whole answer to a stream request, and the reverse', async () => {
    vendor = (_incoming, response) => json(response, 200, whole);
    expect(textOf(await chat(true))).toBe('whole');
    vendor = (_incoming, response) => void startStream(response).end(parts.join(''));
    expect(textOf(await chat(false))).toBe('ab');
  });

  test('a cut stream delivers what arrived, then fails', async () => {
    vendor = (_incoming, response) => {
      startStream(response).write(parts[0]);
      setTimeout(() => response.destroy(), 30);
    };
    const { events } = await openChat(invoker, deployment(), request, { stream: true });
    const seen: ChatEvent[] = [];
    await expect(
      (async () => {
        for await (const batch of events) seen.push(...batch);
      })(),
    ).rejects.toMatchObject({ code: 'upstream_interrupted' });
    expect(textOf(seen)).toBe('a');
    vendor = (_incoming, response) => void startStream(response).end(parts[0]);
    await expect(chat()).rejects.toMatchObject({ code: 'upstream_interrupted' });
  });

  test('ending the iteration ends the call at the vendor', async () => {
    let left = false;
    vendor = (_incoming, response) => {
      response.on('close', () => (left = true));
      startStream(response).write(parts[0]);
    };
    const { events } = await openChat(invoker, deployment(), request, { stream: true });
    for await (const _batch of events) break;
    await expect.poll(() => left).toBe(true);
  });

  test('an abort ends a silent stream for the reason given', async () => {
    vendor = (_incoming, response) => void startStream(response).write(parts[0]);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new GatewayError('upstream_timeout', 'idle')), 80);
    await expect(chat(true, {}, abort.signal)).rejects.toMatchObject({ code: 'upstream_timeout', message: 'idle' });
  });

  test('an error response is classified, first by the provider', async () => {
    vendor = (_incoming, response) =>
      json(response, 429, '{"error":{"message":"slow","code":"rate_limit_exceeded"}}', { 'retry-after': '3' });
    await expect(chat()).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 3, details: { status: 429, text: 'slow' } });
    await expect(chat(true, { classify: (failure) => new GatewayError('content_filter', failure.body.slice(0, 5)) })).rejects.toMatchObject(
      { code: 'content_filter', message: '{"err' },
    );
    vendor = (_incoming, response) => json(response, 400, '{"error":{"message":"temperature is too high","param":"temperature"}}');
    await expect(chat(true, { classify: () => undefined })).rejects.toMatchObject({ code: 'invalid_request', param: 'temperature' });
    vendor = (_incoming, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end();
    await expect(chat()).rejects.toMatchObject({ code: 'upstream_error', details: { status: 307 } });
  });

  test('an endless error response is read only in part', async () => {
    vendor = (_incoming, response) => {
      response.writeHead(500);
      const more = (): void => {
        if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    };
    await expect(chat()).rejects.toMatchObject({ code: 'upstream_error' });
  });

  test('an HTML page and an empty body are invalid answers', async () => {
    vendor = (_incoming, response) => void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>');
    await expect(chat()).rejects.toMatchObject({ code: 'upstream_invalid_response', details: { contentType: 'text/html' } });
    vendor = (_incoming, response) => void startStream(response).end();
    await expect(chat()).rejects.toMatchObject({ code: 'upstream_invalid_response' });
    vendor = (_incoming, response) => json(response, 200, '');
    await expect(chat(false)).rejects.toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('a line of 40 MB is refused before it is read completely', async () => {
    let sent = 0;
    vendor = (_incoming, response) => {
      startStream(response).write('data: ');
      const more = (): void => {
        if (sent >= 160 || response.destroyed) return;
        sent++;
        if (response.write('x'.repeat(1024 * 1024))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    };
    await expect(chat()).rejects.toMatchObject({ code: 'upstream_invalid_response' });
    expect(sent).toBeLessThan(100);
  });

  test('an operation that the provider lacks is refused without a call', async () => {
    vendor = () => expect.unreachable();
    await expect(chat(true, { formats: { embeddings: 'openai' } })).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'model',
    });
    await expect(chat(true, { formats: { chat: 'unknown' } })).rejects.toMatchObject({ code: 'unsupported_parameter' });
  });

  test('embeddings are sent and received', async () => {
    vendor = (incoming, response) => {
      const { input, model } = JSON.parse(incoming.body) as { input: string[]; model: string };
      json(
        response,
        200,
        JSON.stringify({
          data: input.map((_, index) => ({ index, embedding: [index, model.length] })).reverse(),
          usage: { prompt_tokens: 2, total_tokens: 2 },
        }),
      );
    };
    const answer = await invoker.embeddings(deployment(), { model: 'public', input: ['a', 'b'] }, { signal: new AbortController().signal });
    expect(answer).toEqual({
      warnings: [],
      vectors: [
        [0, 12],
        [1, 12],
      ],
      usage: { inputTokens: 2, outputTokens: 0 },
    });
  });
});
