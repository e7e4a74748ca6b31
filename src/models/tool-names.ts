/** Tool names that every client and vendor accepts: `<server>__<tool>`, at most 64 of A-Z a-z 0-9 _ -. */
import { createHash } from 'node:crypto';

const longest = 64;

/** Deterministic. A name that is too long, or has other characters, ends in a digest of the full name. */
export function publicToolName(server: string, tool: string): string {
  const plain = `${server}__${tool}`;
  const safe = plain.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (safe === plain && safe.length <= longest) return safe;
  return shortened(safe, plain);
}

const accepted = /^[A-Za-z0-9_-]{1,64}$/;

/** The name for a vendor; the same when every vendor accepts it. */
export function vendorToolName(name: string): string {
  return accepted.test(name) || name === '' ? name : shortened(name.replaceAll(/[^A-Za-z0-9_-]/g, '_'), name);
}

/** True if the name has the form of a public one, so that it may be that of a tool which is not there now. */
export const looksPublic = (name: string): boolean => name.includes('__') || name.length >= longest;

/** Another name for the same tool, for a caller that already uses the first one. */
export function marked(name: string): string {
  return shortened(name, `other ${name}`);
}

function shortened(name: string, whole: string): string {
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${name.slice(0, longest - 9)}_${digest}`;
}
