/** How many tokens a skill may spend, in all that it calls and all that these call. */
import type { Run } from '../../telemetry/run.ts';
import { GatewayError } from '../../types/errors.ts';

export interface TokenBudget {
  readonly skill: string;
  readonly tokens: number;
  /** The skill's own run: it knows what was spent within it. */
  readonly run: Run;
}

/** Throws `step_limit_reached` once a budget is spent: what is under way ends, nothing new begins. */
export function requireBudget(budgets: readonly TokenBudget[]): void {
  const spent = budgets.find(({ run, tokens }) => {
    const { usage } = run.spent;
    return usage !== null && usage.inputTokens + usage.outputTokens >= tokens;
  });
  if (spent === undefined) return;
  throw new GatewayError('step_limit_reached', `The skill "${spent.skill}" has spent its ${spent.tokens} tokens.`);
}
