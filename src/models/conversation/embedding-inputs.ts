/** Inputs and vectors of embeddings, for vendor formats other than OpenAI's. */
import type { EmbeddingsBody, EncodeTarget } from '../../types/wire-format.ts';
import { unsupported } from './request-fields.ts';

/** The texts to embed. Throws for token numbers: they belong to OpenAI's tokenizer, and another model reads them differently. */
export function inputTexts(body: EmbeddingsBody, target: EncodeTarget): readonly string[] {
  const { input } = body;
  if (typeof input === 'string') return [input];
  const texts: string[] = [];
  for (const each of input) {
    if (typeof each !== 'string') throw unsupported(target, 'input', 'takes texts only, no token numbers', 'Send the texts themselves.');
    texts.push(each);
  }
  return texts;
}

export function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => Number.isFinite(each));
}
