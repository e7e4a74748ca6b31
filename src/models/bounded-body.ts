/** Reads a whole body into memory, up to a limit. */
import { GatewayError } from '../types/errors.ts';

/** Reads to the end. Throws `upstream_invalid_response` beyond `limit` bytes. */
export async function readWhole(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limit)
      throw new GatewayError('upstream_invalid_response', 'The vendor sent an answer that is too large.', { details: { limit } });
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size);
}

/** Reads the body of an error response: at most `limit` bytes; what arrived when it broke off. */
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
    // The status suffices; the body only adds details.
  }
  return Buffer.concat(parts, size).subarray(0, limit);
}
