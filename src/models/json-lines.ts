/** Cuts a byte stream into its lines of JSON (NDJSON), however the bytes were cut on the way. */
import { GatewayError } from '../types/errors.ts';
import { maxEventBytes } from './server-sent-events.ts';

export interface LineSplitter {
  /** The lines that are complete now, without empty ones. Throws `upstream_invalid_response` for one beyond the limit. */
  push(bytes: Buffer): string[];
  /** A last line that no line end followed. */
  end(): string[];
}

const newline = 0x0a;

/** Decodes only up to the last line end in hand, so that no character is ever cut. */
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
    new GatewayError('upstream_invalid_response', 'The vendor sent a single line that is too large to be one.', { details: { limit } });

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
