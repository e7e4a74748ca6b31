import { defineTexts } from '../i18n/texts.ts';
import en from './error-texts.en.json';
import zh from './error-texts.zh.json';

export type ErrorKey = keyof typeof en;

/** By the error codes of the gateway; a test compares them with `src/types/errors.ts`. */
export const errorTexts = defineTexts({ en, zh });

export function isErrorKey(code: string): code is ErrorKey {
  return Object.hasOwn(en, code);
}
