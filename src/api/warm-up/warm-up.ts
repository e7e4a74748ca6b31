/**
 * Warms up the code of a call after the start. The engine interprets a function until it has run often: the first calls of a process cost
 * several times what later ones cost.
 */
import { once } from 'node:events';
import type { Agent, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { PluginRegistry } from '../../plugins/registry.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import { openWarmUpGateway, type WarmUpGateway, warmUpModel } from './warm-up-gateway.ts';

// An import of this module of Node would load its `fetch`, too.
const http = process.getBuiltinModule('node:http');

/** Milliseconds after the start of a node. */
const startAfterMs = 200;
/** Milliseconds between two looks at a busy gateway, and their number: then its own calls have warmed it. */
const busyLookMs = 100;
const mostBusyLooks = 300;

/** Calls of each kind in one round. Most calls of teams are chats. */
const round = [
  ...Array<readonly [string, object]>(7).fill(['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello, gate!' }] }]),
  ...Array<readonly [string, object]>(2).fill(['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello!' }], stream: true }]),
  ['/v1/messages', { messages: [{ role: 'user', content: 'Hello, gate!' }], max_tokens: 64 }] as const,
];
/** More would be worse: the engine optimises shared functions for the warm-up's own objects, and compiles them again for the real ones. */
const rounds = 3;

/** Makes a call and reads the whole answer. Throws unless its status is 200. */
async function ask(agent: Agent, { port, secret }: WarmUpGateway, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
  const call = http.request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers });
  call.end(JSON.stringify({ model: warmUpModel, ...body }));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new GatewayError('internal_error', `A call of the warm-up was answered ${answer.statusCode}.`);
}

export interface WarmUpOptions {
  readonly registry: PluginRegistry;
  /** True while a call of the real gateway is in progress: it comes first. */
  readonly isBusy: () => boolean;
  readonly logger: Logger;
}

/** Resolves with the number of calls made; a gateway that stays busy needs no more. Rejects when `signal` aborts, or when a call fails. */
export async function warmUp({ registry, isBusy, logger }: WarmUpOptions, signal: AbortSignal): Promise<number> {
  await using owned = new AsyncDisposableStack();
  const gateway = await openWarmUpGateway(registry, logger, owned);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  owned.defer(() => agent.destroy());
  let calls = 0;
  for (let done = 0; done < rounds; done++)
    for (const [path, body] of round) {
      for (let looks = 0; isBusy(); looks++) {
        if (looks === mostBusyLooks) return calls;
        await delay(busyLookMs, undefined, { signal, ref: false });
      }
      signal.throwIfAborted();
      await ask(agent, gateway, path, body);
      calls++;
    }
  return calls;
}

/** Warms up soon after the start of a node. Disposing it ends the warm-up and waits for its end. */
export function warmUpAfterStart(options: WarmUpOptions): AsyncDisposable {
  const ending = new AbortController();
  const done = delay(startAfterMs, undefined, { signal: ending.signal, ref: false })
    .then(() => warmUp(options, ending.signal))
    .then((calls) => options.logger.debug({ calls }, 'warmed up'))
    .catch((thrown: unknown) => {
      if (!ending.signal.aborted) options.logger.warn({ err: thrown }, 'the warm-up failed; the first calls will cost more');
    });
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await done;
    },
  };
}
