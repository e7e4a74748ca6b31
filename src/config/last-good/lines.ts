/**
 * The file of the last good configuration. Each line is a checksum and JSON: lines of rows, then one line that commits them as a revision.
 * A later line of a row replaces an earlier one. Lines without a commit after them, such as those of a write that was cut, count for nothing.
 */
import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { ConfigRow, ResourceKind } from '../../types/resources.ts';

export interface RowLine {
  readonly kind: ResourceKind;
  readonly tenant: string;
  readonly name: string;
  /** Null for a row that was removed. */
  readonly row: ConfigRow | null;
}

export interface CommitLine {
  readonly revision: number;
  /** The number of lines of rows before it. */
  readonly rows: number;
}

export const fileName = 'last-good.jsonl';
const checksumLength = 8;

function line(content: RowLine | CommitLine): string {
  const json = JSON.stringify(content);
  return `${crc32(json).toString(16).padStart(checksumLength, '0')} ${json}\n`;
}

export const rowLine = (content: RowLine): string => line(content);
export const commitLine = (content: CommitLine): string => line(content);

/** Null for a damaged line. */
function read(text: string): RowLine | CommitLine | null {
  const json = text.slice(checksumLength + 1);
  if (crc32(json).toString(16).padStart(checksumLength, '0') !== text.slice(0, checksumLength)) return null;
  return JSON.parse(json) as RowLine | CommitLine;
}

/** A revision of the file: the texts of its lines and their contents. */
export interface Group {
  readonly revision: number;
  readonly lines: readonly { readonly text: string; readonly content: RowLine }[];
}

/** Lines end with a line feed only: readline would also split at separators that JSON leaves as they are. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const part of createReadStream(path, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** The complete revisions of the file, oldest first. Ends at the first damaged line. */
export async function* committedGroups(path: string): AsyncGenerator<Group> {
  let lines: { text: string; content: RowLine }[] = [];
  for await (const text of linesOf(path)) {
    const content = read(text);
    if (content === null) return;
    if (!('revision' in content)) {
      lines.push({ text, content });
      continue;
    }
    if (content.rows !== lines.length) return;
    yield { revision: content.revision, lines };
    lines = [];
  }
}
