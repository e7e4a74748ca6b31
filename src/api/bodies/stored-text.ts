/** Texts that are compared with stored ones. */
import { z } from 'zod';

/** A text without NUL, which PostgreSQL cannot store. */
export function storedText(longest: number): z.ZodString {
  return (
    z
      .string()
      .min(1)
      .max(longest)
      // oxlint-disable-next-line no-control-regex -- it is the one that is refused
      .regex(/^[^\u0000]*$/, 'must not hold the character NUL')
  );
}
