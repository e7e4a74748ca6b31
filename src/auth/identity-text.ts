/** The texts of a token that stand for a caller in rows, counters and the ledger. */
import { GatewayError } from '../types/errors.ts';

/** Control characters, NUL among them, and halves of surrogate pairs: databases cannot keep them, so two callers would become one. */
const unstorable = /[\p{Cc}\p{Cs}]/u;

export const isStorable = (text: string): boolean => !unstorable.test(text);

/** Longer texts do not fit the indexes of the ledger, which would then refuse the caller's runs. */
const longest = { subject: 256, tenant: 128, client: 256 } as const;

/** Throws `token_invalid` for a text that no database could keep as it is: what its caller does could not be recorded. */
export function requireIdentity(field: keyof typeof longest, text: string): string {
  if (text.length > longest[field])
    throw new GatewayError(
      'token_invalid',
      `The ${field} in the token has ${text.length} characters; at most ${longest[field]} are possible. Ask those who run your OAuth2 service for a shorter one.`,
    );
  if (!isStorable(text))
    throw new GatewayError(
      'token_invalid',
      `The ${field} in the token holds a control character or half of a surrogate pair. Ask those who run your OAuth2 service for another one.`,
    );
  return text;
}
