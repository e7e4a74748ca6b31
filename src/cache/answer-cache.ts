/** The response cache: repeats a stored answer for an identical request, for models that enable it. */
import type { ModelEntry } from '../types/snapshot.ts';
import { answerKey, type Asker, isExact } from './answer-key.ts';
import type { AnswerStore } from './answer-store.ts';

/** A stored answer with the warnings that its caller got. */
export interface CachedAnswer<T> {
  readonly value: T;
  readonly warnings: readonly string[];
  /** Epoch milliseconds. */
  readonly keptAt: number;
}

/** The cache entry of one call. */
export interface AnswerPlace<T> {
  /** The stored answer. Null on a miss and for `cache-control: no-cache`. Never rejects. */
  find(): Promise<CachedAnswer<T> | null>;
  /** Stores a complete answer. Does nothing when it is too long. */
  keep(value: T, warnings: readonly string[]): void;
  readonly maxBytes: number;
}

export interface Question {
  readonly operation: 'chat' | 'embeddings';
  readonly asked: object;
  /** The caller's header: `no-store` bypasses the cache, `no-cache` refreshes the entry. */
  readonly cacheControl: string | undefined;
}

export interface AnswerCache {
  /** The entry of a call. Null when the model has no cache or the caller sends `no-store`. */
  place<T>(model: ModelEntry, asker: Asker, question: Question): AnswerPlace<T> | null;
}

export interface AnswerCacheOptions {
  readonly store: AnswerStore;
  /** Called once for each lookup. */
  readonly onAsked?: (capability: string, result: 'hit' | 'miss') => void;
}

function cacheDirectives(cacheControl: string): ReadonlySet<string> {
  return new Set(cacheControl.split(',').map((word) => word.trim().toLowerCase()));
}

export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const { store, onAsked } = options;
  return {
    place<T>(model: ModelEntry, asker: Asker, { operation, asked, cacheControl = '' }: Question): AnswerPlace<T> | null {
      const { name, fingerprint } = model;
      const { cache } = model.spec;
      if (cache === undefined || fingerprint === undefined) return null;
      const directives = cacheDirectives(cacheControl);
      if (directives.has('no-store') || !isExact(asked)) return null;
      const key = answerKey({ asker, sharedBy: cache.shared_by, model: name, fingerprint, operation, asked });
      return {
        maxBytes: cache.max_bytes,
        async find() {
          const text = directives.has('no-cache') ? null : await store.get(key);
          onAsked?.(`model/${name}`, text === null ? 'miss' : 'hit');
          return text === null ? null : (JSON.parse(text) as CachedAnswer<T>);
        },
        keep(value, warnings) {
          const kept: CachedAnswer<T> = { value, warnings, keptAt: Date.now() };
          const text = JSON.stringify(kept);
          if (Buffer.byteLength(text) <= cache.max_bytes) store.set(key, text, cache.ttl_seconds * 1_000);
        },
      };
    },
  };
}
