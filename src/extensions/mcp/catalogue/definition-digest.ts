/** The fingerprint of a definition: what a model or a person would be misled by, if it changed unseen. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../schema/canonical-json.ts';
import type { DefinitionKind } from '../../../types/tool-definitions.ts';
import type { JsonObject } from '../../../types/json.ts';

/** Of resources, size and time of change are left out: they change with every edit of the content. */
const pinnedFields: Readonly<Record<DefinitionKind, readonly string[]>> = {
  tool: ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'],
  resource: ['uri', 'name', 'title', 'description', 'mimeType'],
  template: ['uriTemplate', 'name', 'title', 'description', 'mimeType'],
  prompt: ['name', 'title', 'description', 'arguments'],
};

/** SHA-256 in hex. */
export function digestOf(kind: DefinitionKind, definition: JsonObject): string {
  const pinned = Object.fromEntries(pinnedFields[kind].map((field) => [field, definition[field]]));
  return createHash('sha256').update(canonicalJson(pinned)).digest('hex');
}
