/** Text templates with `{{path.to.value}}`. Values are inserted and never executed. */
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

type Part = string | readonly string[];

/** Parses a template. Throws a sentence for a malformed path. */
export function parseTemplate(text: string): readonly Part[] {
  return text.split(/(\{\{[^{}]*\}\})/).map((piece): Part => {
    if (!piece.startsWith('{{')) return piece;
    const path = piece.slice(2, -2).trim();
    if (!/^[\p{L}_][\p{L}\p{M}\p{N}_-]*(\.[\p{L}\p{M}\p{N}_-]+)*$/u.test(path))
      throw new Error(`"${piece}" is not a place such as {{customer.name}}`);
    return path.split('.');
  });
}

/** The paths of a template. */
export function templatePaths(template: readonly Part[]): (readonly string[])[] {
  return template.filter((part) => typeof part !== 'string');
}

/** The parsed object or list of a JSON text, as many tools answer; any other value unchanged. */
export function opened(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

/** The value at a path, also within texts that hold JSON. Undefined when it does not exist. */
export function lookUp(known: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((at, key) => {
    const found = opened(at);
    if (Array.isArray(found)) return /^\d{1,9}$/.test(key) ? found[Number(key)] : undefined;
    return isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }, known);
}

/** In characters; more than any model reads. Nested templates could double a text at every level. */
const mostCharacters = 20_000_000;

/** Inserts text as it is and other values as JSON; a missing value is empty. Throws `step_limit_reached` above the limit. */
export function fillTemplate(template: readonly Part[], input: JsonObject): string {
  let characters = 0;
  return template
    .map((part) => {
      const value = typeof part === 'string' ? part : (lookUp(input, part) ?? '');
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      characters += text.length;
      if (characters > mostCharacters)
        throw new GatewayError(
          'step_limit_reached',
          `A text of this skill comes to more than ${mostCharacters.toLocaleString('en')} characters once its places are filled; give it less.`,
        );
      return text;
    })
    .join('');
}
