/** Ranked documents in the common shape of Cohere and Jina. */
import type { Usage } from '../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import type { RerankAnswer } from '../../types/wire-format.ts';

export interface RerankOptions {
  readonly id: string;
  /** The public model name in the caller's request. */
  readonly model: string;
  readonly documents: readonly (string | JsonObject)[];
  /** True when the caller wants each document beside its score. */
  readonly returnDocuments: boolean;
  readonly topN: number | undefined;
  readonly usage: Usage;
}

/** The JSON text of an answer to `POST /v1/rerank`: best first, at most `topN`, whatever the vendor sent. */
export function renderRerank(results: RerankAnswer['results'], options: RerankOptions): string {
  const shown = results.slice(0, options.topN ?? results.length).map(({ index, score }) => {
    const document = options.documents[index];
    return {
      index,
      relevance_score: score,
      ...(options.returnDocuments && document !== undefined ? { document: isJsonObject(document) ? document : { text: document } } : {}),
    };
  });
  const { inputTokens, searches, estimated } = options.usage;
  return JSON.stringify({
    id: options.id,
    object: 'list',
    model: options.model,
    results: shown,
    usage: {
      prompt_tokens: inputTokens,
      total_tokens: inputTokens,
      ...(searches === undefined ? {} : { search_units: searches }),
      ...(estimated === true ? { estimated: true } : {}),
    },
  });
}
