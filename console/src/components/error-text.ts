/** The sentence for an error: by its code where the console knows the code. */
import { ApiError } from '../api/api-error.ts';
import type { Translate } from '../i18n/texts.ts';
import { type ErrorKey, isErrorKey } from './error-texts.ts';

export function errorText(tell: Translate<ErrorKey>, error: Error): string {
  if (!(error instanceof ApiError)) return tell('unknown');
  return tell(isErrorKey(error.code) ? error.code : 'unknown');
}
