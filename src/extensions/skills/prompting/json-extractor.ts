/** JSON in what a model says: bare, within a fence of code, or with words around it. In linear time, for models may go on with spaces for ever. */
import type { Json } from '../../../types/json.ts';
import { repairJson } from './lenient-json.ts';

/** So many places where JSON may begin are tried. */
const mostTries = 20;

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Also of what is JSON but for marks that models often set. */
const read = (text: string): Json | undefined => parsed(text) ?? parsed(repairJson(text));

/** Where the bracket at `start` is closed, by the rules of JSON; -1 if it is not. */
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

/** Undefined where there is none. Of several the first object or list, for that is what was asked for. */
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
    // A mark such as [1] in the words is JSON too, but hardly what was asked for.
    if (value !== undefined && !Array.isArray(value)) return value;
    best ??= value;
    at = value === undefined ? start + 1 : end + 1;
  }
  return best;
}
