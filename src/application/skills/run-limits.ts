/** How far a skill may go, in all that it calls and all that these call. */
import type { Run } from '../../telemetry/run.ts';
import { GatewayError } from '../../types/errors.ts';

/** A skill within which something runs. */
export interface EnclosingSkill {
  readonly skill: string;
  readonly tokens: number;
  /** So many levels of skills, itself included. */
  readonly depth: number;
  /** The skill's own run: it knows what was spent within it. */
  readonly run: Run;
}

/** Throws `step_limit_reached` once a budget is spent: what is under way ends, nothing new begins. */
export function requireBudget(around: readonly EnclosingSkill[]): void {
  const spent = around.find(({ run, tokens }) => {
    const { usage } = run.spent;
    return usage !== null && usage.inputTokens + usage.outputTokens >= tokens;
  });
  if (spent === undefined) return;
  throw new GatewayError('step_limit_reached', `The skill "${spent.skill}" has spent its ${spent.tokens} tokens.`);
}

/** Throws `step_limit_reached` where one more skill would be too deep for one of those around it. */
export function requireDepth(around: readonly EnclosingSkill[], name: string): void {
  const outer = around.find(({ depth }, level) => around.length - level + 1 > depth);
  if (outer === undefined) return;
  throw new GatewayError(
    'step_limit_reached',
    `The skill "${name}" is too deep: within "${outer.skill}" skills may call skills down to ${outer.depth} levels, itself included.`,
  );
}
