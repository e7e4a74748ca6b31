/** Secrets in plugin options: sealed before they are stored, never shown again. */
import { z } from 'zod';

/** A string option that is sealed at rest and write-only in the API. */
export const secret = () => z.string().min(1).max(16_384).meta({ secret: true, writeOnly: true });

/** A secret that is sent in a header. Surrounding white space is trimmed. */
export const headerSecret = () =>
  z
    .string()
    .trim()
    .min(1)
    .max(16_384)
    .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'holds characters that cannot be sent in a header; copy it again')
    .meta({ secret: true, writeOnly: true });

/** A key that is sent as a bearer token. A pasted `Bearer <key>` is the key alone. */
export const bearerSecret = () => headerSecret().overwrite((text) => text.replace(/^Bearer +(?=\S)/i, ''));
