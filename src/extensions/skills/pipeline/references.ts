/** JSON with places in it, such as `"{{steps.read.total}}"`: filled in from what is known, never run. */
import { isJsonObject, type Json } from '../../../types/json.ts';
import { fillTemplate, lookUp, opened, parseTemplate, templatePaths } from '../prompting/template.ts';

/** What places may name: `input`, `steps`, and within a list `item` and `index`. */
export type Known = Readonly<Record<string, Json>>;

/** A text that is one place alone becomes its value, whatever it is; places within a text become text, what is not text as JSON. */
export function fillText(text: string, known: Known): Json {
  const parts = parseTemplate(text).filter((part) => part !== '');
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return lookUp(known, only) ?? null;
  return fillTemplate(parts, known);
}

/** Whether a text is one place alone. */
export function isReference(text: string): boolean {
  const parts = parseTemplate(text).filter((part) => part !== '');
  return parts.length === 1 && typeof parts[0] !== 'string';
}

export function fill(template: Json, known: Known): Json {
  if (typeof template === 'string') return fillText(template, known);
  if (Array.isArray(template)) return template.map((each: Json) => fill(each, known));
  if (!isJsonObject(template)) return template;
  return Object.fromEntries(Object.entries(template).map(([key, each]) => [key, fill(each as Json, known)]));
}

/** Every place in the template. Throws an Error with a sentence for one that is none. */
export function referencesIn(template: Json): readonly (readonly string[])[] {
  if (typeof template === 'string') return templatePaths(parseTemplate(template));
  if (Array.isArray(template)) return template.flatMap((each: Json) => referencesIn(each));
  return isJsonObject(template) ? Object.values(template).flatMap((each) => referencesIn(each as Json)) : [];
}

/** The list that a step runs over: also one that stands as JSON in a text; nothing is an empty one. Null for what is no list. */
export function listOf(value: Json): readonly Json[] | null {
  if (value === null) return [];
  const found = opened(value);
  return Array.isArray(found) ? (found as readonly Json[]) : null;
}
