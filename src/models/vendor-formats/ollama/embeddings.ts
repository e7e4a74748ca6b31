/** Embeddings in Ollama's native format. */
import type { Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, EmbeddingsFormat, EncodeTarget, Reading } from '../../../types/wire-format.ts';
import { inputTexts, passthroughFields, readVectors } from '../../conversation/embedding-inputs.ts';

const taken: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'user']);

function encodeRequest(body: EmbeddingsBody, target: EncodeTarget): string {
  const rest = Object.fromEntries(passthroughFields(body, target, taken));
  const encoded: JsonObject = { model: target.model, input: inputTexts(body, target), ...rest };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

function countsOf(answer: JsonObject): Usage | null {
  const tokens = answer['prompt_eval_count'];
  return typeof tokens === 'number' ? { inputTokens: tokens, outputTokens: 0 } : null;
}

function decodeResponse(body: Buffer, reading?: Reading): EmbeddingsAnswer {
  const { answer, vectors } = readVectors(body, reading, 'embeddings', (item) => item);
  return { vectors, usage: countsOf(answer) };
}

export const ollamaEmbeddings: EmbeddingsFormat = { encodeRequest, decodeResponse, countsOf };
