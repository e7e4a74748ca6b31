/** The router with vendors on raw sockets whose every byte a test controls, and a ledger to read. */
import { createServer, type Socket } from 'node:net';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { recordRun, endRunWithError } from '../../src/application/models/recorded-run.ts';
import { createDispatcher, type Dispatcher, type ModelAnswer } from '../../src/dispatch/dispatcher.ts';
import weighted from '../../src/dispatch/strategies/weighted.ts';
import openai from '../../src/models/vendor-formats/openai/plugin.ts';
import anthropic from '../../src/models/vendor-formats/anthropic/plugin.ts';
import bedrock from '../../src/models/vendor-formats/bedrock/plugin.ts';
import dashscope from '../../src/models/vendor-formats/dashscope/plugin.ts';
import gemini from '../../src/models/vendor-formats/gemini/plugin.ts';
import ollama from '../../src/models/vendor-formats/ollama/plugin.ts';
import { loadTokenizer } from '../../src/models/estimate-usage.ts';
import { createModelInvoker, type ModelInvoker } from '../../src/models/invoke.ts';
import { createOutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { Run } from '../../src/telemetry/run.ts';
import type { ChatEvent, ChatRequest, Usage } from '../../src/types/chat.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { PluginServices } from '../../src/types/plugin.ts';
import { modelSpec } from '../../src/types/resources.ts';
import type { RunRecord } from '../../src/types/run.ts';
import type { Deployment, ModelEntry } from '../../src/types/snapshot.ts';
import { readRequests, Wire } from '../../faults/wire.ts';

export interface ScriptedCall {
  readonly wire: Wire;
  readonly path: string;
  // oxlint-disable-next-line no-explicit-any -- tests look into bodies of every shape
  readonly body: any;
  /** The number of earlier calls. */
  readonly before: number;
}
export type Script = (call: ScriptedCall) => void | Promise<void>;

export interface ScriptedVendor {
  readonly url: string;
  readonly calls: ScriptedCall[];
  /** Calls whose connection closed before the script ended them. */
  readonly left: number;
  script: Script;
  close(): Promise<void>;
}

/** `data: …` of one part of a stream. */
export function part(delta: object, finish: string | null = null, index = 0): string {
  return `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'v', choices: [{ index, delta, finish_reason: finish }] })}\n\n`;
}
export const say = (content: string, index = 0): string => part({ content }, null, index);
export const think = (text: string): string => part({ reasoning_content: text });
export const usagePart = (input: number, output: number): string =>
  `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'v', choices: [], usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } })}\n\n`;
/** The regular end of a stream. */
export const end = (input = 10, output = 5, finish = 'stop'): string[] => [part({}, finish), usagePart(input, output), 'data: [DONE]\n\n'];

/** A whole answer. */
export const completionOf = (content: string): string =>
  JSON.stringify({
    id: 'v',
    object: 'chat.completion',
    created: 1,
    model: 'v',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  });

/** Waits until this process has read the written bytes: both ends are in it, and each turn of its event loop reads sockets. */
export async function untilRead(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await immediate();
}

/**
 * Streams the parts, each as one chunk, then acts as `then` says.
 * `apart`: the milliseconds between parts, so that each arrives in its own read, as from a model.
 */
export function stream(parts: readonly string[], then: 'end' | 'close' | 'reset' | 'stall' = 'end', apart = 0): Script {
  return async ({ wire }) => {
    wire.startStream();
    for (const each of parts) {
      wire.chunk(each);
      if (apart > 0) {
        await sleep(apart);
        await untilRead();
      }
    }
    if (then === 'stall') return;
    // A reset discards bytes that were not read.
    if (then !== 'end') await untilRead();
    if (then === 'end') wire.endStream();
    else wire[then]();
  };
}

export async function startScripted(script: Script): Promise<ScriptedVendor> {
  const sockets = new Set<Socket>();
  const open = new Set<Socket>();
  let left = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      if (open.delete(socket)) left++;
    });
    const wire = new Wire(socket);
    const endStream = wire.endStream.bind(wire);
    const whole = wire.whole.bind(wire);
    wire.endStream = () => {
      open.delete(socket);
      endStream();
    };
    wire.whole = (...given) => {
      open.delete(socket);
      whole(...given);
    };
    for (const way of ['close', 'reset'] as const) {
      const leave = wire[way].bind(wire);
      wire[way] = () => {
        open.delete(socket);
        leave();
      };
    }
    readRequests(socket, ({ path, body }) => {
      open.add(socket);
      const call = { wire, path, body, before: vendor.calls.length };
      vendor.calls.push(call);
      Promise.resolve(vendor.script(call)).catch(() => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const vendor: ScriptedVendor = {
    url: `http://127.0.0.1:${address.port}/v1`,
    calls: [],
    get left() {
      return left;
    },
    script,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return vendor;
}

export interface CallResult {
  readonly text: string;
  readonly reasoning: string;
  readonly events: readonly ChatEvent[];
  readonly finish: string | null;
  readonly usage: Usage | null;
  readonly error: GatewayError | null;
  readonly deployment: string | null;
  readonly attempts: number | null;
  readonly warnings: readonly string[];
  readonly record: RunRecord;
}

export interface Scene {
  readonly dispatcher: Dispatcher;
  readonly invoker: ModelInvoker;
  vendor(script: Script): Promise<ScriptedVendor>;
  deployment(name: string, vendor: ScriptedVendor, more?: Partial<Deployment> & { readonly format?: string }): Deployment;
  model(deployments: readonly Deployment[], spec?: object): ModelEntry;
  /** Makes a complete call, as a client format does: dispatched, read to its end, recorded. */
  ask(
    model: ModelEntry,
    options?: {
      body?: object;
      request?: ChatRequest;
      stream?: boolean;
      signal?: AbortSignal;
      leaveAfter?: (events: readonly ChatEvent[]) => boolean;
      /** Awaited by the reader after each batch. */
      rest?: () => Promise<void>;
    },
  ): Promise<CallResult>;
  close(): Promise<void>;
}

const principal = { tenant: 't', issuer: 'i', subject: 's', username: 'u', client: null, roles: [], kind: 'user' };

export async function startScene(): Promise<Scene> {
  // Loading blocks this process briefly, which would count as silence of a vendor.
  await loadTokenizer();
  const client = createOutboundClient(createOutboundGuard({ allow: ['127.0.0.0/8'] }));
  const services = {} as PluginServices;
  const formats = {
    openai: await openai.create({}, services),
    anthropic: await anthropic.create({}, services),
    bedrock: await bedrock.create({}, services),
    dashscope: await dashscope.create({}, services),
    gemini: await gemini.create({}, services),
    ollama: await ollama.create({}, services),
  };
  const strategy = await weighted.create({}, {} as PluginServices);
  const invoker = createModelInvoker({
    client,
    format: (kind) => formats[kind as keyof typeof formats],
    pictures: { inline: (request) => Promise.resolve(request) },
  });
  const dispatcher = createDispatcher({ invoker, strategy: () => strategy, logger: createLogger('silent') });
  const vendors: ScriptedVendor[] = [];
  let made = 0;

  return {
    dispatcher,
    invoker,
    async vendor(script) {
      const vendor = await startScripted(script);
      vendors.push(vendor);
      return vendor;
    },
    deployment: (name, vendor, { format = 'openai', provider, ...more } = {}) => ({
      id: `m#${name}`,
      // Separate state for each, so that no test opens the circuit of another.
      key: `t m#${name} ${++made}`,
      provider: {
        id: name,
        name,
        kind: 'test',
        instance: {
          formats: { chat: format },
          address: () => `${vendor.url}/chat/completions`,
          authorize: () => {},
          ...(provider as { readonly instance?: object } | undefined)?.instance,
        },
      },
      model: name,
      weight: 1,
      tier: 0,
      price: null,
      alwaysStream: false,
      prefill: false,
      limits: {},
      ...more,
    }),
    model: (deployments, spec = {}) => ({
      name: 'm',
      capability: { kind: 'model', name: 'm', tenant: 't', owner: null, tags: [] },
      spec: modelSpec.parse({
        deployments: [{ provider: 'p', model: 'm' }],
        // Long enough for a busy machine; a vendor that stalls on purpose costs a test as much.
        limits: { first_token_ms: 1_500, idle_ms: 1_500, total_ms: 20_000 },
        retry: { same: 0 },
        ...spec,
      }),
      // Tiers keep the order that the test gave.
      deployments: deployments.map((each, tier) => ({ ...each, tier })),
      created: 0,
    }),
    async ask(model, { body, request, stream: streamed = true, signal = new AbortController().signal, leaveAfter, rest } = {}) {
      const asked: ChatRequest = request ?? {
        body: { model: 'm', stream: streamed, messages: [{ role: 'user', content: 'Hello' }], ...body },
      };
      let record: RunRecord | null = null;
      const ledger = { record: (each: RunRecord) => void (record = each) };
      const run = new Run(ledger, {
        principal: principal as never,
        requestId: 'r',
        capability: 'model/m',
        operation: 'chat',
        streamed,
        revision: 1,
      });
      const events: ChatEvent[] = [];
      let answer: ModelAnswer | null = null;
      let error: GatewayError | null = null;
      try {
        answer = await dispatcher.chat(model, asked, { run, signal, stream: streamed, fallback: () => null, admit: () => {} });
      } catch (thrown) {
        endRunWithError(run, thrown);
        error = thrown as GatewayError;
      }
      try {
        if (answer !== null) {
          for await (const batch of recordRun(run, asked, answer.events)) {
            events.push(...batch);
            if (leaveAfter?.(events) === true) break;
            await rest?.();
          }
        }
      } catch (thrown) {
        error = thrown as GatewayError;
      }
      const of = (type: ChatEvent['type']): string =>
        events.map((event) => (event.type === type ? (event as { text: string }).text : '')).join('');
      const finish = events.find((event) => event.type === 'finish');
      const last = events.findLast((event) => event.type === 'response-end');
      if (record === null) throw new Error('the run was never booked');
      return {
        text: of('text-delta'),
        reasoning: of('reasoning-delta'),
        events,
        finish: finish?.reason ?? null,
        usage: last?.usage ?? null,
        error,
        deployment: answer?.deployment.id ?? null,
        attempts: answer?.attempts ?? null,
        warnings: answer?.warnings ?? [],
        record,
      };
    },
    async close() {
      await client.close();
      await Promise.all(vendors.map((vendor) => vendor.close()));
    },
  };
}

/** The abort reason of a client disconnect, as the client formats give it. */
export const left = (): GatewayError => new GatewayError('client_closed_request', 'The caller left.');

/** The attempts of a run in the ledger, one line each. */
export function rows(record: RunRecord): string[] {
  return record.attempts.map(
    ({ number, deployment, outcome, error }) => `${number} ${deployment} ${outcome}${error === null ? '' : ` ${error}`}`,
  );
}
