/** A whole body in memory, but never more of it than a limit. */
import { GatewayError } from '../types/errors.ts';

/** Reads to the end. Beyond `limit` bytes: throws `upstream_invalid_response`. */
export async function readWhole(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limit)
      throw new GatewayError('upstream_invalid_response', 'The vendor sent an answer that is too large to be one.', { details: { limit } });
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size);
}

/** Reads the body of a refusal: at most `limit` bytes, and what there was of one that broke. */
export async function readStart(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      parts.push(part);
      size += part.length;
      if (size >= limit) break;
    }
  } catch {
    // The status tells enough; the body would only have told more.
  }
  return Buffer.concat(parts, size).subarray(0, limit);
}
