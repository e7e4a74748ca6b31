/** Splits a byte stream into the data of its server-sent events (WHATWG HTML, section 9.2), at any chunk boundaries. */
import { GatewayError } from '../types/errors.ts';

/** The limit of one event, which may hold a large picture. Without it, a vendor that never ends a line would fill the memory. */
export const maxEventBytes = 32 * 1024 * 1024;

const newline = 0x0a;

export interface EventSplitter {
  /** The data of the events that are complete now. Throws `upstream_invalid_response` for an event beyond the limit. */
  push(bytes: Buffer): string[];
  /** The data of a last event without a closing empty line. */
  end(): string[];
}

/**
 * Decodes up to the last received line end only, so that no character is split. Event names, ids and comments are skipped: every format
 * here has its type in the data. A lone CR does not end a line; no vendor sends one.
 */
export function createEventSplitter(limit: number = maxEventBytes): EventSplitter {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let data: string | null = null;
  let dataLength = 0;
  let first = true;

  const tooLong = (): GatewayError =>
    new GatewayError('upstream_invalid_response', 'The vendor sent a single event that is too large.', { details: { limit } });

  const takeLine = (line: string, out: string[]): void => {
    if (line === '') {
      if (data !== null) out.push(data);
      data = null;
      dataLength = 0;
      return;
    }
    if (!line.startsWith('data') || (line.length > 4 && line[4] !== ':')) return;
    const value = line.slice(line[5] === ' ' ? 6 : 5);
    dataLength += value.length + 1;
    if (dataLength > limit) throw tooLong();
    data = data === null ? value : `${data}\n${value}`;
  };

  const takeText = (text: string, out: string[]): void => {
    let at = 0;
    if (first) {
      first = false;
      if (text.charCodeAt(0) === 0xfeff) at = 1;
    }
    while (at < text.length) {
      let end = text.indexOf('\n', at);
      if (end === -1) end = text.length;
      takeLine(text.slice(at, end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end), out);
      at = end + 1;
    }
  };

  return {
    push(bytes) {
      const out: string[] = [];
      const last = bytes.lastIndexOf(newline);
      if (last === -1) {
        pendingBytes += bytes.length;
        if (pendingBytes > limit) throw tooLong();
        pending.push(bytes);
        return out;
      }
      if (pendingBytes === 0) takeText(bytes.toString('utf8', 0, last + 1), out);
      else takeText(Buffer.concat([...pending, bytes.subarray(0, last + 1)]).toString('utf8'), out);
      pending = last + 1 < bytes.length ? [bytes.subarray(last + 1)] : [];
      pendingBytes = bytes.length - last - 1;
      return out;
    },
    end() {
      const out: string[] = [];
      if (pendingBytes > 0) takeText(Buffer.concat(pending).toString('utf8'), out);
      pending = [];
      pendingBytes = 0;
      takeLine('', out);
      return out;
    },
  };
}
