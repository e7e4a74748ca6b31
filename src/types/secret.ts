/** Secrets in plugin options: sealed before they are stored, never shown again. */
import { z } from 'zod';

/** A string option that is sealed at rest and write-only in the API. */
export const secret = () => z.string().min(1).max(16_384).meta({ secret: true, writeOnly: true });

const headerText = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/;
const notForHeaders = 'holds characters that cannot be sent in a header; copy it again';

/** A secret that is sent in a header. Surrounding white space is trimmed. */
export const headerSecret = () =>
  z.string().trim().min(1).max(16_384).regex(headerText, notForHeaders).meta({ secret: true, writeOnly: true });

/** What people copy with a key: quotes, and the header around it. */
function keyAlone(pasted: string): string {
  const unquoted = /^(["'`])(.*)\1$/s.exec(pasted)?.[2] ?? pasted;
  return unquoted.trim().replace(/^(?:authorization\s*[:=]\s*)?bearer(?:\s*:\s*|\s+)(?=\S)/i, '');
}

/** A key that is sent as a bearer token. A pasted `Bearer <key>` or `Authorization: Bearer <key>` is the key alone. */
export const bearerSecret = () =>
  z.string().trim().overwrite(keyAlone).min(1).max(16_384).regex(headerText, notForHeaders).meta({ secret: true, writeOnly: true });
