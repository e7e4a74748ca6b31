/** Embedding vectors in OpenAI's shape. */
import type { Usage } from '../../types/chat.ts';

export interface EmbeddingsOptions {
  readonly id: string;
  /** The public model name in the caller's request. */
  readonly model: string;
  /** The caller's `encoding_format`. A vendor's answer in the other encoding is converted. */
  readonly encoding: 'float' | 'base64';
  readonly usage: Usage;
}

function toBase64(vector: readonly number[]): string {
  const floats = Float32Array.from(vector);
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64');
}

function toFloats(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}

/** The JSON text of an answer to `POST /v1/embeddings`. Base64 encodes little-endian 32-bit floats. */
export function renderEmbeddings(vectors: readonly (readonly number[] | string)[], options: EmbeddingsOptions): string {
  const data = vectors.map((vector, index) => {
    const wanted = options.encoding === 'base64';
    const embedding = typeof vector === 'string' ? (wanted ? vector : toFloats(vector)) : wanted ? toBase64(vector) : vector;
    return { object: 'embedding', index, embedding };
  });
  const { inputTokens, estimated } = options.usage;
  return JSON.stringify({
    id: options.id,
    object: 'list',
    data,
    model: options.model,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens, ...(estimated === true ? { estimated: true } : {}) },
  });
}
