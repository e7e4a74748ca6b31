/** Limits on a skill run, including everything that it calls. */
import type { Run } from '../../telemetry/run.ts';
import { GatewayError } from '../../types/errors.ts';

/** A skill whose run contains this one. */
export interface EnclosingSkill {
  readonly skill: string;
  readonly tokens: number;
  /** The maximum number of nested skills, itself included. */
  readonly depth: number;
  /** The skill's own run. It holds the usage within it. */
  readonly run: Run;
}

/** Throws `step_limit_reached` when a budget is used up. Calls in progress end; no new one begins. */
export function requireBudget(enclosing: readonly EnclosingSkill[]): void {
  const spent = enclosing.find(({ run, tokens }) => {
    const { usage } = run.spent;
    return usage !== null && usage.inputTokens + usage.outputTokens >= tokens;
  });
  if (spent === undefined) return;
  throw new GatewayError('step_limit_reached', `The skill "${spent.skill}" has used its limit of ${spent.tokens} tokens.`);
}

/** Throws `step_limit_reached` when one more skill would exceed the depth of an enclosing one. */
export function requireDepth(enclosing: readonly EnclosingSkill[], name: string): void {
  const outer = enclosing.find(({ depth }, level) => enclosing.length - level + 1 > depth);
  if (outer === undefined) return;
  throw new GatewayError(
    'step_limit_reached',
    `The skill "${name}" is too deep: within "${outer.skill}" skills may call skills down to ${outer.depth} levels, itself included.`,
  );
}
