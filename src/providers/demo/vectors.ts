/** Demo vectors: the same words give the same direction. They carry no meaning. */
import { createHash } from 'node:crypto';

/** A unit vector: each word affects a few dimensions, chosen by its hash. */
export function demoVector(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(dimensions);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text];
  for (const word of words) {
    const digest = createHash('sha256').update(word).digest();
    for (let index = 0; index + 4 < digest.length; index += 5) {
      const place = digest.readUInt32LE(index) % dimensions;
      vector[place] = (vector[place] ?? 0) + ((digest[index + 4] ?? 0) < 128 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
