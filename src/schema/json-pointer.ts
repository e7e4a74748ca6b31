/** What a local reference within a JSON document points to (RFC 6901, as a fragment). */
import { isJsonObject, type Json } from '../types/json.ts';

function decoded(part: string): string {
  let plain = part;
  try {
    plain = decodeURIComponent(part);
  } catch {
    // Not encoded then.
  }
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** `#` is the document itself, `#/a/0` the first item of its field `a`. Undefined for what is not there, or is no local reference. */
export function pointedTo(document: Json, reference: string): Json | undefined {
  if (reference === '#') return document;
  if (!reference.startsWith('#/')) return undefined;
  return reference
    .slice(2)
    .split('/')
    .map(decoded)
    .reduce<Json | undefined>((inner, part) => {
      if (Array.isArray(inner)) return inner[Number(part)];
      return isJsonObject(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined;
    }, document);
}
