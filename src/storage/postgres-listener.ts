/** Receives the notifications of PostgreSQL, all channels on one connection, which reconnects with growing delays. */
import pg from 'pg';
import type { Logger } from '../types/logger.ts';

export const channels = { config: 'pailou_config', runs: 'pailou_runs' } as const;
export type Topic = keyof typeof channels;
const topics = Object.keys(channels) as Topic[];

/** `payload`: null after a new connection, because a notification may have been missed before it. */
export type Notified = (payload: string | null) => void;

export interface PostgresListener {
  /** Connects when it is the first listener. The function removes the listener; without any the connection is closed. */
  add(topic: Topic, listener: Notified): () => void;
  close(): void;
}

const shortestDelayMs = 250;
const longestDelayMs = 10_000;

export function createPostgresListener(url: string, logger: Logger): PostgresListener {
  const listeners: Record<Topic, Set<Notified>> = { config: new Set(), runs: new Set() };
  let client: pg.Client | null = null;
  let isListening = false;
  let delay = shortestDelayMs;
  let timer: NodeJS.Timeout | undefined;

  const count = (): number => topics.reduce((sum, topic) => sum + listeners[topic].size, 0);
  const notify = (topic: Topic, payload: string | null): void => listeners[topic].forEach((listener) => listener(payload));

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'pailou-listen',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    client = next;
    next.on('notification', ({ channel, payload }) => {
      const topic = topics.find((each) => channels[each] === channel);
      // A notification may still arrive while the connection closes.
      if (topic !== undefined && client === next) notify(topic, payload ?? '');
    });
    next.on('error', () => {});
    next.on('end', () => retry(next));
    try {
      await next.connect();
      for (const topic of topics) await next.query(`listen ${channels[topic]}`);
      if (client !== next) return;
      delay = shortestDelayMs;
      isListening = true;
      for (const topic of topics) notify(topic, null);
    } catch (error) {
      logger.debug({ reason: String(error) }, 'cannot listen to the database yet');
      await next.end().catch(() => {});
      retry(next);
    }
  };
  const retry = (ended: pg.Client): void => {
    if (client !== ended) return;
    client = null;
    isListening = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      connect().catch(() => {});
    }, delay);
    timer.unref();
    delay = Math.min(delay * 2, longestDelayMs);
  };
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isListening = false;
    const ending = client;
    client = null;
    ending?.end().catch(() => {});
  };

  return {
    add(topic, listener) {
      const isFirst = count() === 0;
      listeners[topic].add(listener);
      if (isFirst) connect().catch(() => {});
      else if (isListening) queueMicrotask(() => listener(null));
      return () => {
        if (listeners[topic].delete(listener) && count() === 0) stop();
      };
    },
    close() {
      for (const topic of topics) listeners[topic].clear();
      stop();
    },
  };
}
