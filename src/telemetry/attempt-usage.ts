/** The usage of attempts whose vendor sent no counts: they get the estimate that the run has for their part of the answer. */
import type { Usage } from '../types/chat.ts';
import type { ErrorCode } from '../types/errors.ts';
import { splitAmount } from '../types/money.ts';
import { costOf, type Price } from '../types/price.ts';
import type { AttemptRecord } from '../types/run.ts';
import { type Billed, reportedCost } from './cost.ts';

/** A part of the answer of a run, from one deployment. */
export interface AnsweredPart {
  readonly deployment: string;
  readonly usage: Usage;
  readonly price: Price | null;
}

/** The usage with its cost at a price, else with what the vendor itself says that it costs. */
export function billOf(
  usage: Usage,
  price: Price | null,
  { operation, at }: Billed,
): Pick<AttemptRecord, 'usage' | 'cost' | 'costFemto' | 'currency'> {
  const cost = price === null ? reportedCost(usage) : costOf(price, operation, usage, at);
  if (cost === null) return { usage };
  const { micro, femto } = splitAmount(cost);
  return { usage, cost: micro, costFemto: femto, currency: price?.currency ?? usage.reportedCost?.currency ?? null };
}

/** What ends with the run. */
export interface RunEnd {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error: ErrorCode | null;
}

/** The attempt of a part that had not ended when the node died. The id of a deployment is `model#provider/upstream model`. */
function unfinished(number: number, { deployment }: AnsweredPart, { startedAt, endedAt, error }: RunEnd): AttemptRecord {
  const rest = deployment.slice(deployment.indexOf('#') + 1);
  const slash = rest.indexOf('/');
  return {
    number,
    deployment,
    provider: rest.slice(0, slash),
    upstreamModel: rest.slice(slash + 1),
    startedAt,
    firstTokenAt: null,
    endedAt,
    outcome: 'error',
    status: null,
    error,
    detail: null,
  };
}

/**
 * The attempts with the usage of each. `parts`: in the order of the answer. `prices`: of the attempts that a vendor accepted and sent no
 * counts for, by number. One that added nothing to the answer, such as the slower one of a hedge, is billed for the prompt at least.
 */
export function countedAttempts(
  attempts: readonly AttemptRecord[],
  prices: ReadonlyMap<number, Price | null>,
  parts: readonly AnsweredPart[],
  billed: Billed,
  end: RunEnd,
): readonly AttemptRecord[] {
  const partOf = new Map<number, AnsweredPart>();
  const added: AttemptRecord[] = [];
  // From the last part back: a failed try at the same deployment came before the one that answered.
  for (const part of parts.toReversed()) {
    const own = attempts.findLast(
      ({ number, deployment, usage }) => deployment === part.deployment && !partOf.has(number) && (usage != null || prices.has(number)),
    );
    if (own !== undefined) partOf.set(own.number, part);
    else if (end.error === 'node_lost' && part.deployment.includes('#'))
      added.push({ ...unfinished(attempts.length + added.length + 1, part, end), ...billOf(part.usage, part.price, billed) });
  }
  const prompt = parts.find(({ usage }) => usage.inputTokens > 0)?.usage.inputTokens ?? 0;
  const counted = attempts.map((attempt): AttemptRecord => {
    const price = prices.get(attempt.number);
    if (price === undefined) return attempt;
    const part = partOf.get(attempt.number);
    const usage: Usage = part?.usage ?? { inputTokens: prompt, outputTokens: 0, estimated: true };
    return { ...attempt, ...billOf(usage, part?.price ?? price, billed) };
  });
  return [...counted, ...added];
}
