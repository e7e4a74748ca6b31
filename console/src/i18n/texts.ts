/** Typed texts: one JSON file per language and page, and one function that reads them. */
import { useCallback } from 'react';
import { fillText, type Values } from './fill-text.ts';
import { useLanguage } from './language.tsx';

export interface Texts<Key extends string> {
  readonly en: Readonly<Record<Key, string>>;
  readonly zh: Readonly<Record<Key, string>>;
}

export type Translate<Key extends string> = (key: Key, values?: Values) => string;

/** The compiler rejects a key that Chinese lacks; a test rejects one that English lacks or that no file uses. */
export function defineTexts<Key extends string>(texts: Texts<Key>): Texts<Key> {
  return texts;
}

export function useTexts<Key extends string>(texts: Texts<Key>): Translate<Key> {
  const { language } = useLanguage();
  return useCallback((key, values) => fillText(texts[language][key], values), [texts, language]);
}
