/** How much the results of tools may have in all, for all those of one conversation lie in memory. */
import type { JsonObject } from '../../types/json.ts';

/** More characters than any model reads. */
const mostText = 32 * 1024 * 1024;

/** What the model reads in the place of a result for which nothing is left. */
export const overBudget = `The result is left out: all results together would have more than ${mostText} characters. Ask for less, for example a page or a range.`;

/** How many characters results may still have. */
export interface ResultBudget {
  left: number;
}

/** Behind the results that are there already. */
export function budgetBehind(messages: readonly JsonObject[]): ResultBudget {
  const sizeOf = ({ role, content }: JsonObject): number => (role === 'tool' && typeof content === 'string' ? content.length : 0);
  return { left: mostText - messages.reduce((sum, message) => sum + sizeOf(message), 0) };
}

/** False where not enough is left; then nothing is spent. */
export function spend(budget: ResultBudget, text: string): boolean {
  if (text.length > budget.left) return false;
  budget.left -= text.length;
  return true;
}
