/** An in-memory store for oidc-provider; its content is lost with the process. */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

interface Stored {
  payload: AdapterPayload;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The most entries; the oldest is evicted. */
const most = 10_000;

/** A separate store for one service. The library requests one adapter for each model. */
export function createMemoryAdapter(): AdapterFactory {
  const store = new Map<string, Stored>();
  return (kind) => adapterFor(kind, store);
}

function adapterFor(kind: string, store: Map<string, Stored>): Adapter {
  const keyOf = (id: string): string => `${kind}:${id}`;
  const live = (stored: Stored | undefined): AdapterPayload | undefined =>
    stored !== undefined && stored.expiresAt > Date.now() ? stored.payload : undefined;
  const where = async (condition: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> => {
    for (const [key, stored] of store) if (key.startsWith(`${kind}:`) && condition(stored.payload)) return live(stored);
    return undefined;
  };
  return {
    async upsert(id, payload, expiresIn = 0) {
      const key = keyOf(id);
      store.delete(key);
      store.set(key, { payload, expiresAt: expiresIn > 0 ? Date.now() + expiresIn * 1000 : Infinity });
      for (const oldest of store.keys()) {
        if (store.size <= most) break;
        store.delete(oldest);
      }
    },
    find: async (id) => live(store.get(keyOf(id))),
    findByUid: async (uid) => where((payload) => payload.uid === uid),
    findByUserCode: async (userCode) => where((payload) => payload.userCode === userCode),
    async consume(id) {
      const stored = store.get(keyOf(id));
      if (stored !== undefined) stored.payload = { ...stored.payload, consumed: Math.floor(Date.now() / 1000) };
    },
    async destroy(id) {
      store.delete(keyOf(id));
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of store) if (payload.grantId === grantId) store.delete(key);
    },
  };
}
