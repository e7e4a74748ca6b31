/** The cursor of lists of people. */
import { z } from 'zod';
import { storedText } from '../api/bodies/stored-text.ts';
import { GatewayError } from '../types/errors.ts';
import type { PersonId } from '../types/person.ts';

const cursorShape = z.tuple([storedText(1_024), storedText(256)]);

/** Throws `invalid_request`. */
export function readPersonCursor(after: string): PersonId {
  try {
    const [issuer, subject] = cursorShape.parse(JSON.parse(Buffer.from(after, 'base64url').toString()));
    return { issuer, subject };
  } catch {
    throw new GatewayError('invalid_request', 'after: must be the `next` of the previous page.', { param: 'after' });
  }
}

/** The `next` of a page whose last person is `last`. */
export function nextPerson(last: PersonId | undefined): string | null {
  return last === undefined ? null : Buffer.from(JSON.stringify([last.issuer, last.subject])).toString('base64url');
}
