/** By the reasons for which the gateway cannot reach an address; a test compares them with `src/outbound/unreachable.ts`. */
import { defineTexts } from '../i18n/texts.ts';
import en from './reason-texts.en.json';
import zh from './reason-texts.zh.json';

export const reasonTexts = defineTexts({ en, zh });

type ReasonKey = keyof typeof en;

/** Null for a reason that the console does not know. */
export function reasonKey(reason: string | null): ReasonKey | null {
  const key = `reason.${reason ?? ''}`;
  return Object.hasOwn(en, key) ? (key as ReasonKey) : null;
}
