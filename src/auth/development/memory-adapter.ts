/** What the development identity service has handed out; gone with the process. */
import type { Adapter, AdapterPayload } from 'oidc-provider';

interface Stored {
  payload: AdapterPayload;
  expiresAt: number;
}

/** More than a development service ever needs; the oldest goes first. */
const most = 10_000;
const store = new Map<string, Stored>();

export class MemoryAdapter implements Adapter {
  readonly #model: string;

  constructor(model: string) {
    this.#model = model;
  }

  #key(id: string): string {
    return `${this.#model}:${id}`;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const key = this.#key(id);
    store.delete(key);
    store.set(key, { payload, expiresAt: expiresIn > 0 ? Date.now() + expiresIn * 1000 : Infinity });
    for (const oldest of store.keys()) {
      if (store.size <= most) break;
      store.delete(oldest);
    }
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const stored = store.get(this.#key(id));
    return stored !== undefined && stored.expiresAt > Date.now() ? stored.payload : undefined;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#where((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#where((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const stored = store.get(this.#key(id));
    if (stored !== undefined) stored.payload = { ...stored.payload, consumed: Math.floor(Date.now() / 1000) };
  }

  async destroy(id: string): Promise<void> {
    store.delete(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, { payload }] of store) if (payload.grantId === grantId) store.delete(key);
  }

  #where(condition: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [key, { payload }] of store) if (key.startsWith(`${this.#model}:`) && condition(payload)) return payload;
    return undefined;
  }
}
