/** Reads the body of an external answer within bounds. */

/** Null as soon as the body exceeds `most` bytes. The rest is not read. */
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
