/** The body of an answer from outside, within bounds. */

/** Null as soon as it is larger than `most` bytes; what is left of it is not read. */
export async function readBounded(response: Response, most: number): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > most) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
