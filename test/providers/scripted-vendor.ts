/** A scripted vendor on a real HTTP server, called as in production: provider, format, client and output. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { expect } from 'vitest';
import { createChunkEmitter } from '../../src/models/client-formats/chat-completions/emitter.ts';
import { createModelInvoker, type ModelInvoker } from '../../src/models/invoke.ts';
import { createOutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import type { ChatBody } from '../../src/types/chat.ts';
import type { Plugin, PluginServices, Provider } from '../../src/types/plugin.ts';
import type { Deployment } from '../../src/types/snapshot.ts';
import { checkCompletion, checkStream } from '../contract/strict-chat.ts';
import type { Completion } from '../models/vendor-formats/decode-and-emit.ts';
import { openChat, type OpenChat } from '../models/open-chat.ts';
import { collectCompletion } from '../models/client-formats/collect.ts';

export type Script = (request: IncomingMessage & { readonly body: string }, response: ServerResponse) => void;

export interface ScriptedVendor {
  /** The base URL without a trailing slash. */
  readonly base: string;
  readonly services: PluginServices;
  readonly invoker: ModelInvoker;
  /** Sets the script of the next requests. */
  play(script: Script): void;
  /** A deployment of `model` at a provider of this plugin with these options. */
  deployment(plugin: unknown, options: Readonly<Record<string, unknown>>, model: string): Promise<Deployment>;
  chat(deployment: Deployment, body: Partial<ChatBody>, stream: boolean): Promise<OpenChat>;
  close(): Promise<void>;
}

/** `formats` are the plugins of the formats that the provider may name. */
export async function startVendor(...formats: readonly unknown[]): Promise<ScriptedVendor> {
  let script: Script = (_request, response) => response.writeHead(500).end();
  const server = createServer((request, response) => {
    readText(request).then(
      (body) => script(Object.assign(request, { body }), response),
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const guard = createOutboundGuard({ allow: ['127.0.0.0/8'] });
  const client = createOutboundClient(guard);
  const services = { checkUrl: (url, param) => guard.checkUrl(url, param), fetch: client.fetch } as PluginServices;
  const plugins = formats as readonly Plugin<'format'>[];
  const instances = new Map(await Promise.all(plugins.map(async (each) => [each.kind, await each.create({}, services)] as const)));
  const invoker = createModelInvoker({
    client,
    format: (kind) => instances.get(kind),
    pictures: { inline: (request) => Promise.resolve(request) },
  });
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    services,
    invoker,
    play: (next) => {
      script = next;
    },
    async deployment(maker, options, model) {
      const providerPlugin = maker as Plugin<'provider'>;
      const made: Provider = await providerPlugin.create(providerPlugin.options.parse(options), services);
      const deployment = {
        id: `m#p/${model}`,
        key: `m#p/${model}`,
        provider: { id: '1', name: 'theirs', kind: providerPlugin.kind, instance: made },
        model,
        weight: 1,
        tier: 0,
        price: null,
        alwaysStream: false,
        prefill: false,
        limits: {},
      };
      return deployment;
    },
    chat: (deployment, body, stream) =>
      openChat(invoker, deployment, { body: { model: 'public', messages: [{ role: 'user', content: 'hi' }], ...body } }, { stream }),
    async close() {
      await client.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const emitted = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'public', reasoning: true };

/** Streams the answer and checks it against the output contract. */
export async function streamText(invocation: OpenChat): Promise<string> {
  const emitter = createChunkEmitter({ ...emitted, includeUsage: true });
  let text = '';
  for await (const batch of invocation.events) text += emitter.write(batch);
  expect(checkStream(text, { usage: true })).toEqual([]);
  return text;
}

/** Collects the whole answer and checks it against the output contract. */
export async function completion(invocation: OpenChat): Promise<Completion> {
  const answer = JSON.parse(await collectCompletion(invocation.events, emitted)) as Completion;
  expect(checkCompletion(answer)).toEqual([]);
  return answer;
}

/** Sends `text` in small chunks, which cut it anywhere. */
export function dribble(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'content-type': type });
  const bytes = Buffer.from(text);
  let at = 0;
  const next = (): void => {
    if (at >= bytes.length) {
      response.end();
      return;
    }
    response.write(bytes.subarray(at, (at += 61)));
    setImmediate(next);
  };
  next();
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
