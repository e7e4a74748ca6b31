/** Inputs and vectors of embeddings, for vendor formats other than OpenAI's. */
import type { Json, JsonObject } from '../../types/json.ts';
import type { EmbeddingsBody, EncodeTarget, Reading } from '../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../answer-json.ts';
import { errorInside } from '../classify-failure.ts';
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

/** The fields that the format has not `taken`, to be passed through. Warns of `user`, which these vendors lack. */
export function passthroughFields(body: EmbeddingsBody, target: EncodeTarget, taken: ReadonlySet<string>): [string, Json | undefined][] {
  if (body['user'] !== undefined) target.warn(`user left out: ${target.vendor} has none`);
  return Object.entries(body).filter(([field]) => !taken.has(field));
}

export function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => Number.isFinite(each));
}

/** Parses an answer and reads the vectors of its list `member`; `vectorOf` finds the vector of an item. Throws the vendor's error, or `upstream_invalid_response`. */
export function readVectors(
  body: Buffer,
  reading: Reading | undefined,
  member: string,
  vectorOf: (item: Json) => Json | undefined,
): { readonly answer: JsonObject; readonly vectors: readonly (readonly number[])[] } {
  const text = body.toString('utf8');
  const answer = parseAnswer(text);
  const error = errorInside(answer, reading?.errorCodes);
  if (error !== undefined) throw error;
  const items = answer[member];
  if (!Array.isArray(items) || items.length === 0) throw invalidAnswer('an answer without vectors', text);
  const vectors = (items as readonly Json[]).map((item) => {
    const vector = vectorOf(item);
    if (!isVector(vector)) throw invalidAnswer('a vector that is none', text);
    return vector;
  });
  return { answer, vectors };
}
