/** The digest of a definition: covers the fields that could mislead a model or a user if they changed unnoticed. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../schema/canonical-json.ts';
import type { DefinitionKind } from '../../../types/tool-definitions.ts';
import type { JsonObject } from '../../../types/json.ts';

/** A resource's size and modification time are not covered, because they change with its content. */
const pinnedFields: Readonly<Record<DefinitionKind, readonly string[]>> = {
  tool: ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'],
  resource: ['uri', 'name', 'title', 'description', 'mimeType'],
  template: ['uriTemplate', 'name', 'title', 'description', 'mimeType'],
  prompt: ['name', 'title', 'description', 'arguments'],
  instructions: ['instructions'],
};

/** SHA-256 in hex. */
export function digestOf(kind: DefinitionKind, definition: JsonObject): string {
  const pinned = Object.fromEntries(pinnedFields[kind].map((field) => [field, definition[field]]));
  return createHash('sha256').update(canonicalJson(pinned)).digest('hex');
}
