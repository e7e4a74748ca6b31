/** The Redis connection that several nodes share. It never blocks a call: without an answer in time, Redis counts as unavailable. */
import { createHash } from 'node:crypto';
import type { Logger } from '../types/logger.ts';

/** A Lua script with its SHA-1. */
export interface RedisScript {
  readonly text: string;
  readonly hash: string;
}

export function redisScript(text: string): RedisScript {
  return { text, hash: createHash('sha1').update(text).digest('hex') };
}

async function clientFor(url: string) {
  // Loads some five hundred modules, which a single node never needs.
  const { createClient } = await import('@redis/client');
  return createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: 2_000,
    socket: {
      connectTimeout: 2_000,
      // Longer than the ping interval, so that a silent peer is noticed.
      socketTimeout: 6_000,
      reconnectStrategy: (retries) => Math.min(2_000, 50 * 2 ** Math.min(retries, 6)) * (0.5 + Math.random() / 2),
    },
  });
}

export type RedisClient = Awaited<ReturnType<typeof clientFor>>;

export interface AskOptions<T> {
  /** Receives an answer that came too late, so that its effect can be undone. */
  readonly late?: ((answer: T) => void) | undefined;
  /** True for an answer that the call can do without: the timeout is a fifth. */
  readonly isOptional?: boolean;
}

export interface Redis extends AsyncDisposable {
  readonly ready: boolean;
  /** Calls the listener each time the connection is established. */
  onReady(listener: () => void): void;
  /** Rejects with RedisUnavailable without a connection or an answer in time. */
  ask<T>(work: (client: RedisClient) => Promise<T>, options?: AskOptions<T>): Promise<T>;
  /** Runs a script by its hash and sends the text when Redis does not know it. Otherwise like `ask`. */
  run(script: RedisScript, keys: readonly string[], values: readonly string[], late?: (answer: unknown) => void): Promise<unknown>;
}

export class RedisUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisUnavailable';
  }
}

export interface RedisOptions {
  readonly url: string;
  readonly logger: Logger;
  /** The timeout of a call in milliseconds; default 250. */
  readonly patienceMs?: number;
}

/** The timeout of an optional answer is this part of the timeout. */
const optionalPart = 5;
/** The number of parts in which a timeout is counted. */
const slices = 5;

/** Calls `end` after `milliseconds`, unless cancelled. A blocked process extends the wait, because the answer may be unread in the socket. */
export function afterTimeout(milliseconds: number, end: () => void): () => void {
  let left = slices;
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const wait = (): void => {
    timer = setTimeout(() => {
      if (--left > 0) wait();
      // Data that has arrived is read before this.
      else last = setImmediate(end);
    }, milliseconds / slices);
  };
  wait();
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}

/** Starts to connect and keeps trying until it is closed. Resolves at once. */
export async function connectRedis({ url, logger, patienceMs = 250 }: RedisOptions): Promise<Redis> {
  const listeners = new Set<() => void>();
  let away = false;
  const client = await clientFor(url);
  client.on('error', (error: unknown) => {
    if (!away) logger.warn({ err: error }, 'Redis cannot be reached; trying again');
    away = true;
  });
  client.on('ready', () => {
    if (away) logger.info({}, 'Redis can be reached again');
    away = false;
    for (const listener of listeners) listener();
  });
  // Rejects only when it is closed.
  client.connect().catch((error: unknown) => logger.debug({ err: error }, 'the connection to Redis was not made'));

  const ask: Redis['ask'] = (work, { late, isOptional = false } = {}) => {
    if (!client.isReady) return Promise.reject(new RedisUnavailable('Redis cannot be reached.'));
    const patience = isOptional ? patienceMs / optionalPart : patienceMs;
    return new Promise((resolve, reject) => {
      let given = false;
      const stop = afterTimeout(patience, () => {
        given = true;
        reject(new RedisUnavailable(`Redis did not answer within ${patience} ms.`));
      });
      work(client).then(
        (answer) => {
          stop();
          if (given) late?.(answer);
          else resolve(answer);
        },
        (cause: unknown) => {
          stop();
          reject(new RedisUnavailable('Redis refused a command or broke the connection.', { cause }));
        },
      );
    });
  };

  return {
    get ready() {
      return client.isReady;
    },
    onReady(listener) {
      listeners.add(listener);
      if (client.isReady) listener();
    },
    ask,
    run: ({ text, hash }, keys, values, late) =>
      ask<unknown>(
        async (connected) => {
          const parts = { keys: [...keys], arguments: [...values] };
          try {
            return await connected.evalSha(hash, parts);
          } catch (error) {
            if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
            return connected.eval(text, parts);
          }
        },
        { late },
      ),
    async [Symbol.asyncDispose]() {
      listeners.clear();
      client.destroy();
    },
  };
}
