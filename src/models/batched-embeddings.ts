/** Lists of inputs longer than a vendor takes: asked in parts, answered as one. */
import type { Usage } from '../types/chat.ts';
import type { EmbeddingsAnswer, EmbeddingsBody } from '../types/wire-format.ts';

/** So many parts of one call are under way at once. */
const concurrency = 4;

/** The body as bodies of at most `limit` inputs each; one alone where it fits. */
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

/** Asks for each part, in order of the inputs. The first failure is that of the whole. */
export async function askInParts<A extends EmbeddingsAnswer>(
  parts: readonly EmbeddingsBody[],
  ask: (part: EmbeddingsBody) => Promise<A>,
): Promise<EmbeddingsAnswer & A> {
  const answers: A[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < parts.length; index = next++) answers[index] = await ask(parts[index] as EmbeddingsBody);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, parts.length) }, work));
  const first = answers[0] as A;
  return answers.length === 1 ? first : { ...first, vectors: answers.flatMap((answer) => answer.vectors), usage: sum(answers) };
}
