/** The sentences of details by their codes; a test compares them with `src/admin/audit-sentences/`. */
import { defineTexts } from '../../i18n/texts.ts';
import en from './sentence-texts.en.json';
import zh from './sentence-texts.zh.json';

export const sentenceTexts = defineTexts({ en, zh });

export type SentenceKey = keyof typeof en;

export function isSentenceKey(code: string): code is SentenceKey {
  return Object.hasOwn(en, code);
}

/** Null for a name, which is the same in every language. */
export function wordKey(value: string): SentenceKey | null {
  const key = `word.${value}`;
  return isSentenceKey(key) ? key : null;
}
