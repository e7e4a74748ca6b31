/** What the items of an input say about the request itself: further tools, a changed effort or format, and the features that a vendor of the Responses format must have. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { OfferedTools } from './offered-tools.ts';

/** Types of items that every vendor of the format has. */
const usual: ReadonlySet<string> = new Set(['message', 'reasoning', 'function', 'item_reference']);

/** `web_search` for `web_search_call`: the feature that the items of one tool share. */
function featureOf(type: string): string {
  return type.replace(/(_tool)?(_call)?(_output)?$/, '');
}

export interface InputSettings {
  /** The body with the last `configuration_update` applied. */
  readonly body: JsonObject;
  /** Features beyond messages, reasoning and functions. */
  readonly features: ReadonlySet<string>;
}

function merged(body: JsonObject, update: JsonObject): JsonObject {
  const change = (field: 'reasoning' | 'text'): JsonObject => {
    const [given, more] = [body[field], update[field]];
    return isJsonObject(more) ? { [field]: { ...(isJsonObject(given) ? given : {}), ...more } } : {};
  };
  return { ...body, ...change('reasoning'), ...change('text') };
}

/** Adds the tools of the items to `offered`, which holds those of the request. Throws a fault naming the item. */
export function readInputSettings(body: JsonObject, offered: OfferedTools): InputSettings {
  const features = new Set<string>();
  const items = Array.isArray(body['input']) ? (body['input'] as readonly Json[]) : [];
  let whole = body;
  items.forEach((item, index) => {
    if (!isJsonObject(item) || typeof item['type'] !== 'string') return;
    const { type } = item;
    if (type === 'additional_tools' || type === 'tool_search_output') offered.addAll(item['tools'], `input[${index}].tools`);
    else if (type === 'configuration_update') whole = merged(whole, item);
    const feature = featureOf(type);
    if (!usual.has(feature)) features.add(feature);
    if (typeof item['namespace'] === 'string') features.add('namespace');
  });
  for (const type of offered.types) features.add(type);
  return { body: whole, features };
}
