/** Unpacks `extra_body.google`, the form of Google's OpenAI endpoint, into Gemini's own fields. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { ChatBody } from '../../../types/chat.ts';

/** Members of `generationConfig`; all others are top-level fields. */
const configFields: ReadonlySet<string> = new Set([
  'thinkingConfig',
  'imageConfig',
  'responseModalities',
  'speechConfig',
  'mediaResolution',
  'enableEnhancedCivicAnswers',
]);

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

function renamed(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(renamed);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [camelCase(name), renamed(member ?? null)]));
}

/** The body with the fields of `extra_body.google`. The caller's fields in Gemini's own form take precedence. The same object when there is nothing to unpack. */
export function unpackExtraBody(body: ChatBody): ChatBody {
  const { extra_body: extra, google: direct, ...rest } = body as JsonObject;
  const google = isJsonObject(extra) && isJsonObject(extra['google']) ? extra['google'] : direct;
  if (!isJsonObject(google)) return body;
  const config: Record<string, Json> = {};
  const beside: Record<string, Json> = {};
  for (const [name, value] of Object.entries(renamed(google) as JsonObject)) {
    if (value !== undefined) (configFields.has(name) ? config : beside)[name] = value;
  }
  const own = isJsonObject(rest['generationConfig']) ? rest['generationConfig'] : {};
  return { ...beside, ...rest, generationConfig: { ...config, ...own } } as unknown as ChatBody;
}
