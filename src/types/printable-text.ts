/** Removes characters from displayed texts that control a terminal, reorder text, or are invisible. */
import { z } from 'zod';

/** C0 and C1 controls except tab and line feed, line separators, and lone surrogates. */
const controls = String.raw`[^\P{Cc}\t\n]|[\u2028\u2029]|\p{Cs}`;
/** Bidirectional overrides, embeddings and isolates (UAX 9). Marks stay, because right-to-left scripts need them. */
const directions = String.raw`[\u202a-\u202e\u2066-\u2069]`;
/** Invisible: zero-width spaces, soft hyphens, fillers, annotations, tag characters. */
const invisible = String.raw`[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]`;
/** Joiners outside of scripts and emoji that need them. */
const joiners = String.raw`(?<=^|[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{N}\p{P}\p{Z}])[\u200c\u200d]`;

const unprintable = new RegExp([controls, directions, invisible, joiners].join('|'), 'gu');
const replacement = '\uFFFD';

/** Replaces each such character by U+FFFD. Lines and tabs stay. Idempotent. */
export function printable(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replace(unprintable, replacement);
}

/** As `printable`, on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\t\n]+/g, ' ');
}

/**
 * A name of another system, such as a role or a vendor's model. It is compared, so it is refused instead of rewritten. PostgreSQL cannot
 * read JSON with half of a surrogate pair.
 */
export function foreignNameField(longest: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters or half of a surrogate pair');
}

/** A title or label. */
export function lineField(longest: number): z.ZodString {
  return z.string().max(longest).overwrite(printableLine);
}

/** A description. */
export function textField(longest: number): z.ZodString {
  return z.string().max(longest).overwrite(printable);
}
