/** Resolves references in JSON, such as `"{{steps.read.total}}"`. Values are inserted and never executed. */
import { isJsonObject, type Json } from '../../../types/json.ts';
import { fillTemplate, lookUp, opened, parseTemplate, templatePaths } from '../prompting/template.ts';

/** The values in scope: `input`, `steps`, and within a list `item` and `index`. */
export type Known = Readonly<Record<string, Json>>;

/** A text that is one reference becomes its value. References within a text are inserted as text; other values as JSON. */
export function fillText(text: string, known: Known): Json {
  const parts = parseTemplate(text).filter((part) => part !== '');
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return lookUp(known, only) ?? null;
  return fillTemplate(parts, known);
}

/** True when the whole text is one reference. */
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

/** Every reference in the template. Throws an Error with a sentence for a malformed one. */
export function referencesIn(template: Json): readonly (readonly string[])[] {
  if (typeof template === 'string') return templatePaths(parseTemplate(template));
  if (Array.isArray(template)) return template.flatMap((each: Json) => referencesIn(each));
  return isJsonObject(template) ? Object.values(template).flatMap((each) => referencesIn(each as Json)) : [];
}

/** The list that a step iterates over. JSON text is parsed, a missing value is an empty list. Null for anything else. */
export function listOf(value: Json): readonly Json[] | null {
  if (value === null) return [];
  const found = opened(value);
  return Array.isArray(found) ? (found as readonly Json[]) : null;
}
