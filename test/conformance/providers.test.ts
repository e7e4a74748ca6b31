/**
 * One suite that every provider runs through: the same questions, a vendor that answers in the provider's own wire format from a real
 * server, one strict output. A new provider file is in it without a line here; a new wire format brings its words (`vendors/`).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProviders, sampleProvider } from '../../scripts/provider-samples.ts';
import { createChunkEmitter } from '../../src/models/client-formats/chat-completions/emitter.ts';
import { createModelInvoker, type ModelInvoker } from '../../src/models/invoke.ts';
import { createOutboundClient, type OutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import type { ChatBody } from '../../src/types/chat.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { PluginServices, Provider } from '../../src/types/plugin.ts';
import type { Deployment } from '../../src/types/snapshot.ts';
import { checkCompletion, checkStream, streamChunks } from '../contract/strict-chat.ts';
import { joined, type Scene, type VendorWriter } from './scene.ts';
import { wordsOf } from './vendors.ts';
import { openChat } from '../models/open-chat.ts';
import { collectCompletion } from '../models/client-formats/collect.ts';

/** The checker of the published schemas, when it is available. */
const contracts = process.env['PAILOU_TEST_CONTRACTS'];
interface Checker {
  checkObject(kind: string, value: unknown, options?: { closed?: boolean }): string[];
  checkStream(payloads: string[], options?: { usage?: boolean; closed?: boolean }): string[];
  parseSSE(text: string): string[];
}

type Play = (request: IncomingMessage & { readonly bytes: Buffer }, response: ServerResponse) => void;

const guard = createOutboundGuard({ allow: ['127.0.0.0/8'] });
const client: OutboundClient = createOutboundClient(guard);
const services = {
  mode: 'production',
  checkUrl: (url: string, param: string) => guard.checkUrl(url, param),
  fetch: client.fetch,
} as unknown as PluginServices;
const registry = await loadProviders(services);
const kinds = registry
  .list('provider')
  .map(({ kind }) => kind)
  .filter((kind) => kind !== 'demo');

let play: Play = (_request, response) => void response.writeHead(500).end();
let server: Server;
let invoker: ModelInvoker;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    buffer(request).then(
      (bytes) => play(Object.assign(request, { bytes }), response),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  invoker = createModelInvoker({
    client,
    format: (kind) => registry.instance('format', kind),
    pictures: { inline: (request) => Promise.resolve(request) },
  });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
});

/** Each provider with each wire format that its chats can use: `openai`, `openai openai-responses`. */
const variants = (
  await Promise.all(
    kinds.map(async (kind) => {
      const { provider } = await sampleProvider(registry, kind, 'http://127.0.0.1:9', services);
      return [kind, ...(provider.otherChatFormats ?? []).map((format) => `${kind} ${format}`)];
    }),
  )
).flat();

async function deploy(variant: string): Promise<{ deployment: Deployment; words: VendorWriter; provider: Provider }> {
  const [kind = '', chatFormat] = variant.split(' ');
  const { provider } = await sampleProvider(registry, kind, base, services);
  const deployment: Deployment = {
    ...(chatFormat === undefined ? {} : { chatFormat }),
    id: `m#${kind}/theirs`,
    key: `t m#${kind}/theirs`,
    provider: { id: kind, name: kind, kind, instance: provider },
    model: 'theirs',
    weight: 1,
    tier: 0,
    price: null,
    alwaysStream: false,
    prefill: false,
    limits: {},
  };
  return { deployment, words: wordsOf(chatFormat ?? provider.formats.chat), provider };
}

const body = (more: Partial<ChatBody> = {}): ChatBody => ({ model: 'public', messages: [{ role: 'user', content: 'Hello' }], ...more });

async function ask(deployment: Deployment, stream: boolean, more: Partial<ChatBody> = {}) {
  return openChat(invoker, deployment, { body: body(more) }, { stream, signal: AbortSignal.timeout(120_000) });
}

interface Heard {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly finish: string;
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { cached_tokens?: number };
  };
}

const emitted = { id: 'chatcmpl-1', created: 1, model: 'public', reasoning: true };

async function hearWhole(deployment: Deployment, more: Partial<ChatBody> = {}): Promise<Heard> {
  const { events } = await ask(deployment, false, more);
  const answer = JSON.parse(await collectCompletion(events, emitted));
  expect(checkCompletion(answer)).toEqual([]);
  const [{ message, finish_reason: finish }] = answer.choices;
  return {
    text: message.content ?? '',
    reasoning: message.reasoning_content ?? '',
    calls: (message.tool_calls ?? []).map((call: { id: string; function: { name: string; arguments: string } }) => ({
      id: call.id,
      name: call.function.name,
      arguments: JSON.parse(call.function.arguments),
    })),
    finish,
    usage: answer.usage,
  };
}

async function streamText(deployment: Deployment, more: Partial<ChatBody> = {}, reasoning = true): Promise<string> {
  const { events } = await ask(deployment, true, more);
  const emitter = createChunkEmitter({ ...emitted, reasoning, includeUsage: true });
  let text = '';
  for await (const batch of events) text += emitter.write(batch);
  return text;
}

/** The members of a chunk that are read here. `checkStream` has checked their types. */
interface HeardChunk {
  readonly choices: readonly {
    readonly delta: {
      readonly content?: string | null;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly { index: number; id?: string; function?: { name?: string; arguments?: string } }[];
    };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: Heard['usage'];
}

async function hearStream(deployment: Deployment, more: Partial<ChatBody> = {}): Promise<Heard> {
  const text = await streamText(deployment, more);
  expect(checkStream(text, { usage: true })).toEqual([]);
  const chunks = streamChunks(text) as unknown as readonly HeardChunk[];
  const calls: { id: string; name: string; text: string }[] = [];
  const heard = { text: '', reasoning: '', finish: '' };
  for (const { choices } of chunks) {
    for (const { delta, finish_reason: finish } of choices) {
      heard.text += delta.content ?? '';
      heard.reasoning += delta.reasoning_content ?? '';
      heard.finish = finish ?? heard.finish;
      for (const call of delta.tool_calls ?? []) {
        if (call.id !== undefined) calls[call.index] = { id: call.id, name: call.function?.name ?? '', text: '' };
        (calls[call.index] as { text: string }).text += call.function?.arguments ?? '';
      }
    }
  }
  return {
    ...heard,
    calls: calls.map((call) => ({ id: call.id, name: call.name, arguments: JSON.parse(call.text) })),
    usage: chunks.at(-1)?.usage as Heard['usage'],
  };
}

function answers(words: VendorWriter, scene: Scene): Play {
  return (request, response) => {
    // A stream is requested by the address, a field or a header, depending on the format.
    const streamed =
      /stream(?!-only)/i.test(request.url ?? '') ||
      /"stream": ?true/.test(request.bytes.toString()) ||
      request.headers['x-dashscope-sse'] === 'enable';
    if (streamed)
      response
        .writeHead(200, { 'content-type': words.streamType })
        .end(Buffer.concat(words.stream(scene).map((frame) => Buffer.from(frame))));
    else response.writeHead(200, { 'content-type': 'application/json' }).end(words.whole(scene));
  };
}

const usage = { input: 20, output: 9 };
const scenes: Readonly<Record<string, Scene>> = {
  'a plain answer': { text: ['One ', 'gate.'], finish: 'stop', usage },
  'Chinese and emoji': { text: ['牌楼', '🏮👩‍👩‍👧', ' é́', '\u2028\n"\\'], finish: 'stop', usage },
  'a thought and an answer': { reasoning: '嗯，让我想想。', text: ['42'], finish: 'stop', usage: { ...usage, reasoning: 5 } },
  'one call': {
    calls: [{ id: 'call-1', name: 'find', arguments: { query: '牌楼', depth: [1, { a: null }] } }],
    finish: 'tool_calls',
    usage,
  },
  'two calls and words before': {
    text: ['Let me look.'],
    calls: [
      { id: 'call-1', name: 'find', arguments: { query: 'a' } },
      { id: 'call-2', name: 'find', arguments: { query: 'b' } },
    ],
    finish: 'tool_calls',
    usage,
  },
  'a call without arguments': { calls: [{ id: 'call-1', name: 'now', arguments: {} }], finish: 'tool_calls', usage },
  'an answer that is cut at its limit': { text: ['One gate, many'], finish: 'length', usage },
};

const tools = ['find', 'now'].map((name) => ({
  type: 'function',
  function: { name, description: name, parameters: { type: 'object', properties: {} } },
}));

function expectScene(heard: Heard, scene: Scene): void {
  expect(heard.text).toBe(joined(scene));
  expect(heard.reasoning).toBe(scene.reasoning ?? '');
  expect(heard.finish).toBe(scene.finish);
  expect(heard.calls.map(({ name, arguments: given }) => ({ name, arguments: given }))).toEqual(
    (scene.calls ?? []).map(({ name, arguments: given }) => ({ name, arguments: given })),
  );
  expect(new Set(heard.calls.map(({ id }) => id)).size).toBe(heard.calls.length);
  expect(heard.usage).toMatchObject({ prompt_tokens: scene.usage.input, completion_tokens: scene.usage.output });
}

it('finds every provider and a vendor writer for every format', () => {
  expect(kinds.length).toBeGreaterThan(25);
});

describe.each(variants)('%s', (kind) => {
  it.each(Object.entries(scenes))('%s: equal whole and streamed', async (_name, scene) => {
    const { deployment, words } = await deploy(kind);
    play = answers(words, scene);
    const more = scene.calls === undefined ? {} : { tools };
    expectScene(await hearWhole(deployment, more), scene);
    expectScene(await hearStream(deployment, more), scene);
  });

  it.skipIf(contracts === undefined)('matches the published contract: open with reasoning, closed without', async () => {
    const checker = (await import(/* @vite-ignore */ pathToFileURL(join(contracts ?? '', 'check.mjs')).href)) as Checker;
    const { deployment, words } = await deploy(kind);
    for (const [name, scene] of Object.entries(scenes)) {
      play = answers(words, scene);
      const more = scene.calls === undefined ? {} : { tools };
      for (const reasoning of [true, false]) {
        const closed = !reasoning;
        const whole = JSON.parse(await collectCompletion((await ask(deployment, false, more)).events, { ...emitted, reasoning }));
        expect(checker.checkObject('chat.completion', whole, { closed }), `${name}, closed: ${closed}`).toEqual([]);
        const streamed = await streamText(deployment, more, reasoning);
        expect(checker.checkStream(checker.parseSSE(streamed), { usage: true, closed }), `${name} streamed, closed: ${closed}`).toEqual([]);
      }
    }
  });

  it('any cut of the bytes gives the same output', async () => {
    const { deployment, words } = await deploy(kind);
    const scene = {
      ...scenes['Chinese and emoji'],
      reasoning: '想🤔',
      calls: scenes['one call']?.calls ?? [],
      finish: 'tool_calls',
      usage,
    } as Scene;
    const bytes = Buffer.concat(words.stream(scene).map((frame) => Buffer.from(frame)));
    for (const size of [1, 2, 3, 7, 64]) {
      play = (_request, response) => {
        response.writeHead(200, { 'content-type': words.streamType });
        for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
        response.end();
      };
      expectScene(await hearStream(deployment, { tools }), scene);
    }
  });

  it('a conversation with a call, its failed result and an image is encoded in the vendor’s format, or refused by name', async () => {
    const { deployment, words } = await deploy(kind);
    let sent = '';
    const plain = scenes['a plain answer'] as Scene;
    play = (request, response) => {
      sent = request.bytes.toString();
      answers(words, plain)(request, response);
    };
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Where is the gate?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call-1', type: 'function', function: { name: 'find', arguments: '{"query":"牌楼"}' } }],
      },
      { role: 'tool', tool_call_id: 'call-1', content: 'nothing found' },
      { role: 'user', content: 'And now?' },
    ];
    expectScene(await hearWhole(deployment, { messages, tools }), plain);
    for (const word of ['Be brief.', 'Where is the gate?', '牌楼', 'nothing found', 'And now?']) expect(sent).toContain(word);
  });

  it.each(['n', 'logprobs'])('%s is kept or refused by name, never dropped', async (field) => {
    const { deployment, words } = await deploy(kind);
    let sent = '';
    play = (request, response) => {
      sent = request.bytes.toString();
      answers(words, scenes['a plain answer'] as Scene)(request, response);
    };
    const refused = await ask(deployment, false, { [field]: field === 'n' ? 2 : true }).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    const kept =
      field === 'n' ? /"(n|candidateCount)": ?2/.test(sent) : /"(logprobs|responseLogprobs)": ?true|output_text\.logprobs/.test(sent);
    const warning =
      refused instanceof GatewayError &&
      refused.code === 'unsupported_parameter' &&
      refused.param === field &&
      refused.message.includes(field);
    expect(kept || warning).toBe(true);
  });

  it.each([
    ['authentication', 'upstream_authentication', true],
    ['limit', 'rate_limited', true],
    ['context', 'context_length_exceeded', false],
    ['failure', 'upstream_error', true],
  ] as const)('%s is %s', async (failure, code, retryable) => {
    const { deployment, words } = await deploy(kind);
    const { status, body: text } = words.error(failure, 'no');
    play = (_request, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    await expect(ask(deployment, true)).rejects.toMatchObject({ code, retryable });
    const packed = gzipSync(text);
    play = (_request, response) =>
      void response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
    await expect(ask(deployment, false)).rejects.toMatchObject({ code, retryable });
  });

  it('reports how long to wait', async () => {
    const { deployment, words } = await deploy(kind);
    const { status, body: text } = words.error('limit', 'slow down');
    play = (_request, response) => void response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' }).end(text);
    await expect(ask(deployment, true)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('never ends cleanly when the vendor’s stream did not', async () => {
    const { deployment, words } = await deploy(kind);
    const frames = words.stream({ text: ['One ', 'gate, ', 'many'], finish: 'stop', usage });
    const broken: readonly (readonly (string | Buffer)[])[] = [
      frames.slice(0, -3),
      [...frames.slice(0, 2), words.errorFrame()],
      words.oddFinish({ text: ['One'], finish: 'stop', usage }),
      [],
    ];
    for (const given of broken) {
      play = (_request, response) =>
        void response.writeHead(200, { 'content-type': words.streamType }).end(Buffer.concat(given.map((frame) => Buffer.from(frame))));
      await expect(streamText(deployment)).rejects.toBeInstanceOf(GatewayError);
    }
    play = (_request, response) => {
      response.writeHead(200, { 'content-type': words.streamType });
      response.write(Buffer.from(frames[0] ?? ''), () => setTimeout(() => response.destroy(), 20));
    };
    await expect(streamText(deployment)).rejects.toBeInstanceOf(GatewayError);
  });

  it('refuses invalid answers: a web page, cut JSON, a list, an endless line', async () => {
    const { deployment, words } = await deploy(kind);
    const whole = words.whole(scenes['a plain answer'] as Scene);
    const lies: readonly (readonly [type: string, text: string])[] = [
      ['text/html', '<html>Welcome</html>'],
      ['application/json', whole.slice(0, whole.length / 2)],
      ['application/json', '[]'],
      ['application/json', ''],
      ['application/json', '{}'],
      [words.streamType, 'x'.repeat(10 * 1024 * 1024)],
      [words.streamType, '\n'.repeat(1024 * 1024)],
    ];
    for (const [type, text] of lies) {
      play = (_request, response) => void response.writeHead(200, { 'content-type': type }).end(text);
      for (const stream of [true, false]) {
        const outcome = stream ? streamText(deployment) : hearWhole(deployment);
        await expect(outcome, `${type} ${text.slice(0, 20)}`).rejects.toBeInstanceOf(GatewayError);
      }
    }
  });
});
