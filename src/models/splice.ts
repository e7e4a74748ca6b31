/** Changes top-level members of a JSON object in its bytes, without serialising the rest again. */
import type { JsonOutline } from '../types/chat.ts';

/** A member and its new value as JSON text. */
export interface MemberChange {
  readonly key: string;
  readonly json: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The object with all changes: an existing member gets its new value in place, a new one is inserted at the front. */
export function spliceMembers(bytes: Buffer, outline: JsonOutline, changes: readonly MemberChange[]): Buffer {
  const edits: Edit[] = [];
  let inserted = '';
  for (const { key, json } of changes) {
    const member = outline.members.get(key);
    if (member === undefined) inserted += `${inserted === '' ? '' : ','}${JSON.stringify(key)}:${json}`;
    else edits.push({ start: member.valueStart, end: member.valueEnd, text: json });
  }
  if (inserted !== '') {
    edits.push({ start: outline.bodyStart, end: outline.bodyStart, text: outline.members.size === 0 ? inserted : `${inserted},` });
  }
  edits.sort((one, other) => one.start - other.start);
  let size = bytes.length;
  for (const edit of edits) size += Buffer.byteLength(edit.text) - (edit.end - edit.start);
  const result = Buffer.allocUnsafe(size);
  let read = 0;
  let written = 0;
  for (const edit of edits) {
    written += bytes.copy(result, written, read, edit.start);
    written += result.write(edit.text, written);
    read = edit.end;
  }
  bytes.copy(result, written, read);
  return result;
}
