/** The bytes of a JSON object, sent with other values of some top-level members, without serialising the rest again. */
import type { JsonMember, JsonOutline, MemberChange, RawRequest } from '../types/chat.ts';
import { isJsonSpace } from './json-outline.ts';

const comma = 0x2c;
const space = 0x20;

/** Overwrites a member and one comma beside it with spaces. `by`: the distance of `memory` from the offsets of the outline. */
function blank(memory: Buffer, { keyStart, valueEnd }: JsonMember, by: number): void {
  let start = keyStart + by;
  let end = valueEnd + by;
  while (isJsonSpace(memory[end])) end++;
  if (memory[end] === comma) end++;
  else {
    do start--;
    while (isJsonSpace(memory[start]));
    if (memory[start] !== comma) start++;
  }
  memory.fill(space, start, end);
}

function isChanged(changes: readonly MemberChange[], key: string): boolean {
  for (const change of changes) if (change.key === key) return true;
  return false;
}

export class RawBody implements RawRequest {
  readonly length: number;
  readonly #bytes: Buffer;
  readonly #outline: JsonOutline;
  readonly #room: number;
  /** The JSON of the members that are no longer in the bytes; null until the bytes were changed in place. */
  #moved: Map<string, string> | null = null;

  /** `room`: the free bytes before `bytes` in its memory. Above 0, the memory belongs to this body alone, and the first change is made in place. */
  constructor(bytes: Buffer, outline: JsonOutline, room = 0) {
    this.length = bytes.length;
    this.#bytes = bytes;
    this.#outline = outline;
    this.#room = room;
  }

  /** Writes the changed members to the front and blanks the old ones. */
  splice(changes: readonly MemberChange[]): Buffer {
    const bytes = this.#bytes;
    const { members, bodyStart } = this.#outline;
    const moved = this.#moved;
    const old: JsonMember[] = [];
    let head = '';
    for (const { key, json } of changes) {
      head += `,${JSON.stringify(key)}:${json}`;
      const member = members.get(key);
      if (member !== undefined && moved?.has(key) !== true) old.push(member);
    }
    if (moved !== null) for (const [key, json] of moved) if (!isChanged(changes, key)) head += `,${JSON.stringify(key)}:${json}`;
    const others = members.size - (moved?.size ?? 0) - old.length;
    head = `{${head.slice(1)}${others > 0 && head !== '' ? ',' : ''}`;
    const size = Buffer.byteLength(head);
    const rest = bytes.length - bodyStart;
    if (moved === null && this.#room > 0 && this.#room + bodyStart >= size) {
      this.#remember(changes);
      for (const member of old) blank(bytes, member, 0);
      const changed = Buffer.from(bytes.buffer, bytes.byteOffset + bodyStart - size, size + rest);
      changed.write(head);
      return changed;
    }
    const copy = Buffer.allocUnsafe(size + rest);
    copy.write(head);
    bytes.copy(copy, size, bodyStart);
    for (const member of old) blank(copy, member, size - bodyStart);
    return copy;
  }

  /** Keeps the values that a change in place removes, for a later attempt. */
  #remember(changes: readonly MemberChange[]): void {
    this.#moved = new Map();
    for (const { key } of changes) {
      const member = this.#outline.members.get(key);
      if (member !== undefined) this.#moved.set(key, this.#bytes.toString('utf8', member.valueStart, member.valueEnd));
    }
  }
}
