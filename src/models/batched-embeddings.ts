/** Splits input lists that are longer than the vendor's limit into batches, and joins the answers. */
import type { Usage } from '../types/chat.ts';
import type { EmbeddingsAnswer, EmbeddingsBody } from '../types/wire-format.ts';

/** Concurrent batches of one call. */
const concurrency = 4;

/** Bodies of at most `limit` inputs each; one body when all inputs fit. */
export function splitInputs(body: EmbeddingsBody, limit: number | undefined): EmbeddingsBody[] {
  const { input } = body;
  // A list of numbers is one input, given as tokens.
  if (limit === undefined || typeof input === 'string' || input.length <= limit || typeof input[0] === 'number') return [body];
  const parts: EmbeddingsBody[] = [];
  for (let start = 0; start < input.length; start += limit) {
    parts.push({ ...body, input: input.slice(start, start + limit) });
  }
  return parts;
}

function sum(answers: readonly EmbeddingsAnswer[]): Usage | null {
  let inputTokens = 0;
  for (const { usage } of answers) {
    if (usage === null) return null;
    inputTokens += usage.inputTokens;
  }
  return { inputTokens, outputTokens: 0 };
}

/** Requests each batch; answers are in input order. The first failure fails the whole call: running batches are aborted, the others are never sent. */
export async function requestInBatches<A extends EmbeddingsAnswer>(
  parts: readonly EmbeddingsBody[],
  signal: AbortSignal,
  ask: (part: EmbeddingsBody, signal: AbortSignal) => Promise<A>,
): Promise<EmbeddingsAnswer & A> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return ask(only, signal);
  const answers: A[] = [];
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < parts.length && !either.aborted; index = next++)
      answers[index] = await ask(parts[index] as EmbeddingsBody, either);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, parts.length) }, work));
  } catch (thrown) {
    failed.abort();
    throw thrown;
  }
  signal.throwIfAborted();
  const first = answers[0] as A;
  return { ...first, vectors: answers.flatMap((answer) => answer.vectors), usage: sum(answers) };
}
