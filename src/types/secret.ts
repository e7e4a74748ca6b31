/** Secrets in plugin options: sealed before they touch the disk, never shown again. */
import { z } from 'zod';

/** A string option that is sealed at rest and write-only in the API. */
export const secret = () => z.string().min(1).max(16_384).meta({ secret: true, writeOnly: true });
