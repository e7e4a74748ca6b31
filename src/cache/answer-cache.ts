/** Answers that are given again to the very same request, for models that are configured so. */
import type { ModelEntry } from '../types/snapshot.ts';
import { answerKey, type Asker, isExact } from './answer-key.ts';
import type { AnswerStore } from './answer-store.ts';

/** An answer from before, with what its caller was told beside it. */
export interface CachedAnswer<T> {
  readonly value: T;
  readonly warnings: readonly string[];
  /** Epoch milliseconds. */
  readonly keptAt: number;
}

/** Where one call's answer lies, or will. */
export interface AnswerPlace<T> {
  /** Null where there is none, or where the caller does not want one from before. Never rejects. */
  find(): Promise<CachedAnswer<T> | null>;
  /** A complete answer. Does nothing where it is too long. */
  keep(value: T, warnings: readonly string[]): void;
  readonly maxBytes: number;
}

export interface Question {
  readonly operation: 'chat' | 'embeddings';
  readonly asked: object;
  /** The caller's header: with `no-store` the call goes as if nothing were kept, with `no-cache` it is asked anew. */
  readonly cacheControl: string | undefined;
}

export interface AnswerCache {
  /** Null where the answer is neither looked for nor kept: the model is not configured so, or the caller does not want it. */
  place<T>(model: ModelEntry, asker: Asker, question: Question): AnswerPlace<T> | null;
}

export interface AnswerCacheOptions {
  readonly store: AnswerStore;
  /** Hears of each call whether its answer was there. */
  readonly onAsked?: (capability: string, result: 'hit' | 'miss') => void;
}

function wishes(cacheControl: string): ReadonlySet<string> {
  return new Set(cacheControl.split(',').map((word) => word.trim().toLowerCase()));
}

export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const { store, onAsked } = options;
  return {
    place<T>(model: ModelEntry, asker: Asker, { operation, asked, cacheControl = '' }: Question): AnswerPlace<T> | null {
      const { name, fingerprint } = model;
      const { cache } = model.spec;
      if (cache === undefined || fingerprint === undefined) return null;
      const wanted = wishes(cacheControl);
      if (wanted.has('no-store') || !isExact(asked)) return null;
      const key = answerKey({ asker, sharedBy: cache.shared_by, model: name, fingerprint, operation, asked });
      return {
        maxBytes: cache.max_bytes,
        async find() {
          const text = wanted.has('no-cache') ? null : await store.get(key);
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
