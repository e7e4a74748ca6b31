/** Texts that are compared with what the database keeps. */
import { z } from 'zod';

/** Without the one character that PostgreSQL cannot keep. */
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
