/** Finds content of a message that no reader knows, so that it is not lost in silence. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { invalidAnswer } from '../../answer-json.ts';

/** Parts that are read, or that repeat what is read elsewhere. */
const readParts: ReadonlySet<Json | undefined> = new Set([
  'text',
  'output_text',
  'thinking',
  'reasoning',
  'refusal',
  'reference',
  'image',
  'image_url',
  'output_image',
]);
/** Members that are read. */
const readMembers: ReadonlySet<string> = new Set(['images', 'image', 'image_url', 'audio']);
/** Names of members that hold content, in the words of any vendor. */
const contentName = /image|picture|video|audio|sound|file|media|attachment|document/i;

function isFilled(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isJsonObject(value) ? Object.keys(value).length > 0 : typeof value === 'string' && value !== '';
}

/** The usual members of a message, none of which holds unread content. */
const plainMembers: ReadonlySet<string> = new Set(['role', 'content', 'refusal', 'tool_calls', 'reasoning_content', 'annotations']);

/** `found` with the names of unread members and parts of a message or delta; null without any. */
export function findUnreadContent(message: JsonObject, found: Set<string> | null): Set<string> | null {
  let names = found;
  const content = message['content'];
  if (Array.isArray(content)) {
    for (const part of content as readonly Json[]) {
      if (!isJsonObject(part) || readParts.has(part['type']) || typeof part['text'] === 'string') continue;
      (names ??= new Set()).add(`content[].${typeof part['type'] === 'string' ? part['type'].slice(0, 40) : 'unknown'}`);
    }
  }
  for (const name in message) {
    if (plainMembers.has(name) || !contentName.test(name) || readMembers.has(name) || !isFilled(message[name])) continue;
    (names ??= new Set()).add(name.slice(0, 40));
  }
  return names;
}

/** The warning about content that cannot be read. Throws `upstream_invalid_response` when the choice has no other content. */
export function judgeUnread(unread: ReadonlySet<string> | null, said: boolean, reading: Reading | undefined): string | undefined {
  if (unread === null || unread.size === 0) return undefined;
  const names = [...unread].join(', ');
  if (!said) throw invalidAnswer(`an answer of content that cannot be read (${names})`);
  const warning = `content that cannot be read is left out: ${names}`;
  reading?.warn?.(warning);
  return warning;
}
