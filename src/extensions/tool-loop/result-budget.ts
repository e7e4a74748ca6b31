/** Bounds the total size of tool results of one conversation, which lie in memory together. */
import type { JsonObject } from '../../types/json.ts';

/** In characters; more than any model reads. */
const mostText = 32 * 1024 * 1024;

/** The tool message in place of a result that exceeds the budget. */
export const overBudget = `The result is left out: all results together would have more than ${mostText} characters. Ask for less, for example a page or a range.`;

/** The remaining budget in characters. */
export interface ResultBudget {
  left: number;
}

/** The budget that the results in `messages` leave. */
export function budgetBehind(messages: readonly JsonObject[]): ResultBudget {
  const sizeOf = ({ role, content }: JsonObject): number => (role === 'tool' && typeof content === 'string' ? content.length : 0);
  return { left: mostText - messages.reduce((sum, message) => sum + sizeOf(message), 0) };
}

/** Takes the text's length. Returns false, and takes nothing, when too little is left. */
export function spend(budget: ResultBudget, text: string): boolean {
  if (text.length > budget.left) return false;
  budget.left -= text.length;
  return true;
}
