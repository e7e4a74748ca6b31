/** Extracts JSON from a model's text: bare, in a code fence, or between words. Linear time, because a model may emit white space without end. */
import type { Json } from '../types/json.ts';
import { repairJson } from './lenient-json.ts';

/** The most start positions that are tried. */
const mostTries = 20;

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Parses JSON, and near-JSON with common mistakes of models. */
const read = (text: string): Json | undefined => parsed(text) ?? parsed(repairJson(text));

/** The index where the bracket at `start` closes by the rules of JSON; -1 when it does not. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let inText = false;
  for (let at = start; at < text.length; at++) {
    const sign = text[at];
    if (inText) {
      if (sign === '\\') at++;
      else if (sign === '"') inText = false;
    } else if (sign === '"') inText = true;
    else if (sign === '{' || sign === '[') depth++;
    else if ((sign === '}' || sign === ']') && --depth === 0) return at;
  }
  return -1;
}

/** Undefined when there is none. Of several values the first object or list. */
export function extractJson(text: string): Json | undefined {
  const whole = parsed(text.trim());
  if (whole !== undefined) return whole;
  let best: Json | undefined;
  let at = 0;
  for (let tries = 0; tries < mostTries; tries++) {
    const brace = text.indexOf('{', at);
    const bracket = text.indexOf('[', at);
    const start = brace === -1 ? bracket : bracket === -1 ? brace : Math.min(brace, bracket);
    if (start === -1) break;
    const end = endOf(text, start);
    const value = end === -1 ? undefined : read(text.slice(start, end + 1));
    // A citation mark such as [1] is valid JSON but not the answer.
    if (value !== undefined && !Array.isArray(value)) return value;
    best ??= value;
    at = value === undefined ? start + 1 : end + 1;
  }
  return best;
}
