/** Resource subscriptions: forwarded to the server, and again after a reconnect. */
import type { Client } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../../../types/json.ts';

export interface ResourceSubscriptions {
  /** Returns the function that unsubscribes. */
  add(uri: string, listener: () => void): () => void;
  /** Handles `notifications/resources/updated` of the server. */
  updated(params: JsonObject): void;
  /** Sends missing subscriptions to this connection. Servers without subscription support are skipped. */
  connected(client: Client): Promise<void>;
  clear(): void;
}

export function createResourceSubscriptions(): ResourceSubscriptions {
  const listeners = new Map<string, Set<() => void>>();
  /** The URIs subscribed on each connection; a new connection has none. */
  const subscribed = new WeakMap<Client, Set<string>>();
  let current: WeakRef<Client> | null = null;
  /** In the stateless protocol one stream carries all subscriptions. It is reopened when they change. */
  let streams = new WeakMap<Client, { close(): Promise<void> }>();

  const reopenStream = async (client: Client): Promise<void> => {
    await streams.get(client)?.close();
    if (listeners.size === 0) return;
    streams.set(client, await client.listen({ resourceSubscriptions: [...listeners.keys()] }));
  };

  return {
    add(uri, listener) {
      const known = listeners.get(uri) ?? new Set();
      listeners.set(uri, known);
      known.add(listener);
      return () => {
        known.delete(listener);
        if (known.size > 0 || listeners.get(uri) !== known) return;
        listeners.delete(uri);
        const client = current?.deref();
        if (client === undefined || subscribed.get(client)?.delete(uri) !== true) return;
        const ended = client.getProtocolEra() === 'modern' ? reopenStream(client) : client.unsubscribeResource({ uri });
        Promise.resolve(ended).catch(() => {});
      };
    },
    updated({ uri }) {
      if (typeof uri === 'string') for (const listener of listeners.get(uri) ?? []) listener();
    },
    async connected(client) {
      current = new WeakRef(client);
      if (client.getServerCapabilities()?.resources?.subscribe !== true) return;
      const known = subscribed.get(client) ?? new Set<string>();
      subscribed.set(client, known);
      const fresh = [...listeners.keys()].filter((uri) => !known.has(uri));
      for (const uri of fresh) known.add(uri);
      if (fresh.length === 0) return;
      if (client.getProtocolEra() === 'modern') await reopenStream(client);
      else await Promise.all(fresh.map((uri) => client.subscribeResource({ uri })));
    },
    clear() {
      listeners.clear();
      streams = new WeakMap();
    },
  };
}
