/** Reads the less common forms of content in deltas and messages. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

function joinText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.map((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}

/** The text of content in parts (Mistral). A thinking part becomes a reasoning delta. */
export function readText(content: Json | undefined, choice: number, events: ChatEvent[]): string {
  if (!Array.isArray(content)) return '';
  let text = '';
  for (const part of content as readonly Json[]) {
    if (!isJsonObject(part)) continue;
    if (part['type'] === 'thinking') {
      const thought = joinText(part['thinking']);
      if (thought !== '') events.push({ type: 'reasoning-delta', choice, text: thought });
    } else if (typeof part['text'] === 'string') text += part['text'];
  }
  return text;
}

function readTokens(value: Json | undefined): Json {
  if (!Array.isArray(value)) return null;
  const tokens: JsonObject[] = [];
  for (const token of value as readonly Json[]) {
    if (!isJsonObject(token) || typeof token['token'] !== 'string' || typeof token['logprob'] !== 'number') continue;
    const top = Array.isArray(token['top_logprobs']) ? (token['top_logprobs'] as readonly Json[]) : [];
    tokens.push({
      ...token,
      bytes: token['bytes'] ?? null,
      top_logprobs: top.filter(isJsonObject).map((each) => ({ ...each, bytes: each['bytes'] ?? null })),
    });
  }
  return tokens;
}

/** Log probabilities with the keys that OpenAI's schema requires; undefined without any. */
export function readLogprobs(value: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const content = readTokens(value['content']);
  const refusal = readTokens(value['refusal']);
  return content === null && refusal === null ? undefined : { content, refusal };
}
