/** The fingerprint of a definition: what a model or a person would be misled by, if it changed unseen. */
import { createHash } from 'node:crypto';
import type { PinKind } from '../../../types/pins.ts';
import type { Json, JsonObject } from '../../../types/json.ts';

/** The same for the same content, whatever the order of the keys. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((each: Json) => canonicalJson(each)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{${entries
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** Of resources, size and time of change are left out: they change with every edit of the content. */
const pinnedFields: Readonly<Record<PinKind, readonly string[]>> = {
  tool: ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'],
  resource: ['uri', 'name', 'title', 'description', 'mimeType'],
  template: ['uriTemplate', 'name', 'title', 'description', 'mimeType'],
  prompt: ['name', 'title', 'description', 'arguments'],
};

/** SHA-256 in hex. */
export function digestOf(kind: PinKind, definition: JsonObject): string {
  const pinned = Object.fromEntries(pinnedFields[kind].map((field) => [field, definition[field]]));
  return createHash('sha256').update(canonicalJson(pinned)).digest('hex');
}
