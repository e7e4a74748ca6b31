/** Finds comments that break the rules for plain words: long sentences, and words that say who or what only to their author. */
import type { SourceFile } from './source-tree.ts';

export interface Remark {
  /** `path:line`. */
  readonly at: string;
  readonly sentence: string;
  readonly fault: string;
}

/** A sentence with more words than this is read twice. */
export const mostWords = 25;

/** Words that hide the subject or the act. Each has a plain word: the caller, the client, emits, records, reports. */
const riddles =
  /\b(whoever|whomever|somebody|nobody|anybody|everybody|someone else's|told|tells? of|hears? of|strangers?|afresh|for good|at all the same|all the same|is to be|of today|of yesterday|in the end)\b/i;

const comments = /(?<=^|\s)\/\*\*?([\s\S]*?)\*\/|(?<=^|\s)\/\/ (.*)$/gm;

/** The sentences of a comment, without its frame. Code spans, tags and links count as one word. */
export function sentencesOf(comment: string): string[] {
  const text = comment
    .replace(/\n\s*\*? ?/g, ' ')
    .replace(/`[^`]*`/g, '`code`')
    .replace(/https?:\S+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return text.split(/(?<=[.!?:;])\s+/).filter((sentence) => sentence !== '');
}

/** Every sentence of the file's comments that breaks a rule. */
export function findRiddles({ path, text }: Pick<SourceFile, 'path' | 'text'>): Remark[] {
  const found: Remark[] = [];
  for (const match of text.matchAll(comments)) {
    const line = text.slice(0, match.index).split('\n').length;
    for (const sentence of sentencesOf(match[1] ?? match[2] ?? '')) {
      const words = sentence.split(' ').length;
      const riddle = riddles.exec(sentence)?.[0];
      if (words > mostWords) found.push({ at: `${path}:${line}`, sentence, fault: `${words} words in one sentence` });
      else if (riddle !== undefined) found.push({ at: `${path}:${line}`, sentence, fault: `the word "${riddle}"` });
    }
  }
  return found;
}
