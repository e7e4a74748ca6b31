/** Differences between Gemini generations, derived from model names. */
import type { Json } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import type { Effort } from '../../conversation/request-fields.ts';

/** Major and minor number. Names that always mean the newest model have no number and belong to the newest generation. */
function generation(model: string): number {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  const number = /^gemini-(\d+(?:\.\d+)?)/.exec(name)?.[1];
  if (number !== undefined) return Number(number);
  return /^gemini-(pro|flash|flash-lite)-latest/.test(name) ? 3 : 0;
}

/** True when the model checks signatures of function calls, so that a call without one must be marked. */
export function checksSignatures(model: string): boolean {
  return generation(model) >= 3;
}

export function isGemma(model: string): boolean {
  return /(^|\/)gemma/i.test(model);
}

/** Speech, image and embedding models have no reasoning. */
function canThink(model: string): boolean {
  return generation(model) >= 2.5 && !/image|tts|embedding|live|native-audio|computer-use/i.test(model);
}

/** Thinking tokens by effort, as Google's own OpenAI endpoint maps them. */
const budgets: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};

function budgetFor(effort: Effort, target: EncodeTarget): number {
  const pro = target.model.toLowerCase().includes('pro');
  if (effort === 'none' && pro) {
    target.warn(`reasoning_effort none changed to the least: ${target.model} always thinks`);
    return 128;
  }
  return pro ? budgets[effort] : Math.min(budgets[effort], budgets.high);
}

function levelFor(effort: Effort, target: EncodeTarget): string {
  const flash = target.model.toLowerCase().includes('flash');
  if (effort === 'none' || effort === 'minimal') {
    const least = flash ? 'minimal' : 'low';
    if (effort !== least) target.warn(`reasoning_effort ${effort} changed to ${least}: ${target.model} always thinks`);
    return least;
  }
  if (effort === 'medium' && /gemini-3-pro/i.test(target.model)) {
    target.warn(`reasoning_effort medium changed to high: ${target.model} has low and high only`);
    return 'high';
  }
  return effort === 'low' || effort === 'medium' ? effort : 'high';
}

/** Reasoning is always requested, because other vendors return it too. Undefined for models without reasoning. */
export function thinkingConfig(effort: Effort | undefined, target: EncodeTarget): Record<string, Json> | undefined {
  if (!canThink(target.model)) {
    if (effort !== undefined && effort !== 'none') target.warn(`reasoning_effort left out: ${target.model} does not think`);
    return undefined;
  }
  if (effort === undefined) return { includeThoughts: true };
  const extent =
    generation(target.model) >= 3 ? { thinkingLevel: levelFor(effort, target) } : { thinkingBudget: budgetFor(effort, target) };
  return effort === 'none' ? extent : { includeThoughts: true, ...extent };
}
