/** Text with `{{path.to.value}}` places. Values are put in, nothing is run. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

type Part = string | readonly string[];

/** Parsed once; throws a sentence for a place that is not a path. */
export function parseTemplate(text: string): readonly Part[] {
  return text.split(/(\{\{[^{}]*\}\})/).map((piece): Part => {
    if (!piece.startsWith('{{')) return piece;
    const path = piece.slice(2, -2).trim();
    if (!/^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/.test(path)) throw new Error(`"${piece}" is not a place such as {{customer.name}}`);
    return path.split('.');
  });
}

/** The paths of the template's places. */
export function templatePaths(template: readonly Part[]): (readonly string[])[] {
  return template.filter((part) => typeof part !== 'string');
}

/** Text as it is, other values as JSON; a value that is not there leaves nothing. */
export function fillTemplate(template: readonly Part[], input: JsonObject): string {
  return template
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = part.reduce<Json | undefined>(
        (found, key) => (isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined),
        input,
      );
      if (value === undefined || value === null) return '';
      return typeof value === 'string' ? value : JSON.stringify(value);
    })
    .join('');
}
