/** Resolves local references of a JSON document (RFC 6901, URI fragment form). */
import { isJsonObject, type Json } from '../types/json.ts';

function decoded(part: string): string {
  let plain = part;
  try {
    plain = decodeURIComponent(part);
  } catch {
    // A stray % is kept unchanged.
  }
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** `#` is the document, `#/a/0` the first item of its field `a`. Returns undefined for a missing target and for a reference that is not local. */
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
