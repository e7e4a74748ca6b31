/** JSON with places in it, such as `"{{steps.read.total}}"`: filled in from what is known, never run. */
import { isJsonObject, type Json } from '../../../types/json.ts';
import { parseTemplate, templatePaths } from '../asking/template.ts';

/** What places may name: `input`, `steps`, and within a list `item` and `index`. */
export type Known = Readonly<Record<string, Json>>;

function lookUp(known: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((found, key) => {
    if (Array.isArray(found)) return /^\d{1,9}$/.test(key) ? found[Number(key)] : undefined;
    return isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }, known);
}

/** A text that is one place alone becomes its value, whatever it is; places within a text become text, what is not text as JSON. */
export function fillText(text: string, known: Known): Json {
  const parts = parseTemplate(text).filter((part) => part !== '');
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return lookUp(known, only) ?? null;
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = lookUp(known, part) ?? null;
      if (value === null) return '';
      return typeof value === 'string' ? value : JSON.stringify(value);
    })
    .join('');
}

export function fill(template: Json, known: Known): Json {
  if (typeof template === 'string') return fillText(template, known);
  if (Array.isArray(template)) return template.map((each: Json) => fill(each, known));
  if (!isJsonObject(template)) return template;
  return Object.fromEntries(Object.entries(template).map(([key, each]) => [key, fill(each as Json, known)]));
}

/** Every place in the template. Throws an Error with a sentence for one that is none. */
export function placesIn(template: Json): readonly (readonly string[])[] {
  if (typeof template === 'string') return templatePaths(parseTemplate(template));
  if (Array.isArray(template)) return template.flatMap((each: Json) => placesIn(each));
  return isJsonObject(template) ? Object.values(template).flatMap((each) => placesIn(each as Json)) : [];
}
