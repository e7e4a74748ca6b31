/** Sealed texts within JSON as the database keeps it: found and changed as text, so that nothing else of a row can change. */
import type { Sealed, SecretBox } from './secret-box.ts';

/** Quotes within a JSON string are escaped, so this is only ever the object itself. */
const pattern = /\{"\$sealed":"([^"\\]*)"\}/g;

export function sealedIn(json: string): Sealed[] {
  return [...json.matchAll(pattern)].map(([, text = '']) => ({ $sealed: text }));
}

/** With each sealed text under the current key. What cannot be opened stays as it is. */
export function renewedJson(json: string, box: SecretBox, context: string): string {
  if (!json.includes('"$sealed"')) return json;
  return json.replaceAll(pattern, (whole, text: string) => {
    try {
      return JSON.stringify(box.renew({ $sealed: text }, context));
    } catch {
      return whole;
    }
  });
}
