/** Checks answers whose items are matched by position against the request: vectors, ranked documents, choices. */
import type { ChatEvent } from '../types/chat.ts';
import type { GatewayError } from '../types/errors.ts';
import type { EmbeddingsAnswer, EmbeddingsBody, RerankAnswer, RerankBody } from '../types/wire-format.ts';
import { invalidAnswer } from './answer-json.ts';

function wrongCount(what: string, wanted: number, given: number): GatewayError {
  return invalidAnswer(`${given} ${what} where ${wanted} were asked for`);
}

/** The number of inputs of an embeddings request. A list of numbers is one input. */
function inputsIn({ input }: EmbeddingsBody): number {
  return typeof input === 'string' || typeof input[0] === 'number' ? 1 : input.length;
}

/** The dimensions of a vector. Base64 encodes 32-bit floats. */
function sizeOf(vector: EmbeddingsAnswer['vectors'][number]): number {
  return typeof vector === 'string' ? Buffer.byteLength(vector, 'base64') / 4 : vector.length;
}

/** Throws `upstream_invalid_response` unless each input has its vector, all of one size and of the requested size. */
export function checkVectors(body: EmbeddingsBody, { vectors }: Pick<EmbeddingsAnswer, 'vectors'>): void {
  const inputs = inputsIn(body);
  if (vectors.length !== inputs) throw wrongCount('vectors', inputs, vectors.length);
  const requested = typeof body['dimensions'] === 'number' ? body['dimensions'] : undefined;
  const size = requested ?? sizeOf(vectors[0] ?? []);
  const other = vectors.find((vector) => sizeOf(vector) !== size);
  if (!Number.isInteger(size)) throw invalidAnswer('a vector that is not base64 of 32-bit floats');
  if (other !== undefined) throw invalidAnswer(`a vector of ${sizeOf(other)} numbers where the size is ${size}`);
}

/** Throws `upstream_invalid_response` unless each document is ranked at most once, with a finite score, and as many as requested are. */
export function checkRanking(body: RerankBody, { results }: Pick<RerankAnswer, 'results'>): void {
  const { documents, top_n: most } = body;
  // Voyage's name for `top_n`; it is forwarded unchanged.
  const other = typeof body['top_k'] === 'number' ? body['top_k'] : documents.length;
  const least = Math.min(documents.length, most ?? documents.length, other);
  const places = new Set(results.map(({ index }) => index));
  if (places.size !== results.length) throw invalidAnswer('the same document twice');
  for (const index of places) if (index >= documents.length) throw invalidAnswer('the rank of a document that was not sent');
  if (!results.every(({ score }) => Number.isFinite(score))) throw invalidAnswer('a score that is no number');
  if (results.length < least) throw wrongCount('ranked documents', least, results.length);
}

/** Checks a whole answer. Throws `upstream_invalid_response` unless it has the requested number of choices. `requested`: undefined when the request sets no number. */
export function checkChoices(events: readonly ChatEvent[], requested: number | undefined): void {
  if (requested === undefined) return;
  const choices = new Set<number>();
  for (const event of events) if (event.type === 'finish') choices.add(event.choice);
  if (choices.size !== requested) throw wrongCount('choices', requested, choices.size);
}
