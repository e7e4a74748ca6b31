/** Reads a whole body into memory, up to a limit. */
import { GatewayError } from '../types/errors.ts';

/** The size limit of a whole answer. */
export const wholeBytes = 64 * 1024 * 1024;
/** Bytes read of an error body, for classification and the ledger. */
export const failureBytes = 65_536;

export function answerTooLarge(limit: number): GatewayError {
  return new GatewayError('upstream_invalid_response', 'The vendor sent an answer that is too large.', { details: { limit } });
}

/** The bytes of a pushed body. */
export class ReceivedBytes {
  #parts: Buffer[] | null = null;
  #first: Buffer | null = null;
  #size = 0;

  /** Returns the size so far. */
  add(part: Buffer): number {
    if (this.#first === null) this.#first = part;
    else (this.#parts ??= [this.#first]).push(part);
    this.#size += part.length;
    return this.#size;
  }

  bytes(): Buffer {
    return this.#parts === null ? (this.#first ?? Buffer.alloc(0)) : Buffer.concat(this.#parts, this.#size);
  }
}

/** Reads to the end. Throws `upstream_invalid_response` beyond `limit` bytes. */
export async function readWhole(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limit) throw answerTooLarge(limit);
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
