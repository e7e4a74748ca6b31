/** How many tokens a skill may spend, in all that it calls and all that these call. */
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';

export interface TokenBudget {
  readonly skill: string;
  readonly tokens: number;
  spent: number;
}

/** Throws `step_limit_reached` once a budget is spent: what is under way ends, nothing new begins. */
export function requireBudget(budgets: readonly TokenBudget[]): void {
  const spent = budgets.find((budget) => budget.spent >= budget.tokens);
  if (spent === undefined) return;
  throw new GatewayError('step_limit_reached', `The skill "${spent.skill}" has spent its ${spent.tokens} tokens.`);
}

/** Passes the events on and takes what they cost from each budget. */
export async function* spending(budgets: readonly TokenBudget[], events: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  for await (const batch of events) {
    for (const event of batch) {
      if (event.type !== 'response-end' || event.usage === null) continue;
      for (const budget of budgets) budget.spent += event.usage.inputTokens + event.usage.outputTokens;
    }
    yield batch;
  }
}
