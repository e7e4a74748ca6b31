/** Splits a byte stream into lines of JSON (NDJSON), at any chunk boundaries. */
import { GatewayError } from '../types/errors.ts';
import { maxEventBytes } from './server-sent-events.ts';

export interface LineSplitter {
  /** The lines that are complete now, without empty ones. Throws `upstream_invalid_response` for a line beyond the limit. */
  push(bytes: Buffer): string[];
  /** A last line without a line end. */
  end(): string[];
}

const newline = 0x0a;

/** Decodes up to the last received line end only, so that no character is split. */
export function createLineSplitter(limit: number = maxEventBytes): LineSplitter {
  let pending: Buffer[] = [];
  let pendingBytes = 0;

  const linesOf = (text: string): string[] => {
    const lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (lines.some((line) => line.length > limit)) throw tooLong();
    return lines;
  };
  const tooLong = (): GatewayError =>
    new GatewayError('upstream_invalid_response', 'The vendor sent a single line that is too large.', { details: { limit } });

  return {
    push(bytes) {
      const last = bytes.lastIndexOf(newline);
      if (last === -1) {
        pendingBytes += bytes.length;
        if (pendingBytes > limit) throw tooLong();
        pending.push(bytes);
        return [];
      }
      const whole = Buffer.concat([...pending, bytes.subarray(0, last)]);
      pending = last + 1 < bytes.length ? [bytes.subarray(last + 1)] : [];
      pendingBytes = bytes.length - last - 1;
      return linesOf(whole.toString('utf8'));
    },
    end() {
      const rest = Buffer.concat(pending).toString('utf8');
      pending = [];
      pendingBytes = 0;
      return linesOf(rest);
    },
  };
}
