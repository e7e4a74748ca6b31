/** Mends the results of careless servers before the SDK reads them: one malformed block must not cost the whole result. */
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';

export const withoutNulls = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));

/** What a block of each type must have. */
const defaults: Readonly<Record<string, JsonObject>> = {
  text: { text: '' },
  image: { mimeType: 'image/png' },
  audio: { mimeType: 'audio/wav' },
};

/** Base64 as the protocol has it, of a data: URL, of the alphabet for addresses, or of several lines. */
function plainBase64(data: string): string {
  return data
    .replace(/^data:[^,]*,/, '')
    .replaceAll(/\s+/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
}

/** A text with the JSON of a block that no client could read. */
function asText(block: Json): JsonObject {
  return { type: 'text', text: typeof block === 'string' ? block : JSON.stringify(block) };
}

function mendedContents(given: JsonObject): JsonObject {
  const contents = withoutNulls(given);
  return contents['text'] === undefined && contents['blob'] === undefined ? { ...contents, text: '' } : contents;
}

function mendedBlock(given: Json, isReadable: (block: JsonObject) => boolean): JsonObject {
  if (!isJsonObject(given)) return asText(given);
  const type = given['type'];
  const whole: Record<string, Json | undefined> = { ...(typeof type === 'string' ? defaults[type] : undefined), ...withoutNulls(given) };
  if ((type === 'image' || type === 'audio') && typeof whole['data'] === 'string') whole['data'] = plainBase64(whole['data']);
  const block = isJsonObject(whole['resource']) ? { ...whole, resource: mendedContents(whole['resource']) } : whole;
  return isReadable(block) ? block : asText(given);
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** A result of a tool, a resource or a prompt; any other unchanged. `isReadable`: whether a client can read a block of content. */
export function mendedResult(result: JsonObject, isReadable: (block: JsonObject) => boolean): JsonObject {
  const plain = withoutNulls(result);
  if ('content' in result || 'structuredContent' in result)
    return { ...plain, content: listOf(result['content']).map((block) => mendedBlock(block, isReadable)) };
  if (Array.isArray(result['contents']))
    return {
      ...plain,
      contents: (result['contents'] as readonly Json[]).map((each) => (isJsonObject(each) ? mendedContents(each) : each)),
    };
  if (Array.isArray(result['messages']))
    return {
      ...plain,
      messages: (result['messages'] as readonly Json[]).map((each) =>
        isJsonObject(each) && isJsonObject(each['content']) ? { ...each, content: mendedBlock(each['content'], isReadable) } : each,
      ),
    };
  return result;
}
