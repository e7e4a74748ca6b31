/** Tool names that every client and vendor takes: `<server>__<tool>`, at most 64 of A-Z a-z 0-9 _ -. */
import { createHash } from 'node:crypto';

const longest = 64;

/** Deterministic; names that would be too long, or hold other characters, end in a digest of the whole. */
export function publicToolName(server: string, tool: string): string {
  const plain = `${server}__${tool}`;
  const safe = plain.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (safe === plain && safe.length <= longest) return safe;
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, 8);
  return `${safe.slice(0, longest - 9)}_${digest}`;
}
