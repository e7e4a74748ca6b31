/** Finds and replaces sealed texts within stored JSON, as text, so that the rest stays byte-identical. */
import type { Sealed, SecretBox } from './secret-box.ts';

/** Quotes within a JSON string are escaped, so a match is always the object itself. */
const pattern = /\{"\$sealed":"([^"\\]*)"\}/g;

export function sealedIn(json: string): Sealed[] {
  return [...json.matchAll(pattern)].map(([, text = '']) => ({ $sealed: text }));
}

/** Re-seals each text under the current key. A text that does not open stays unchanged. */
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
