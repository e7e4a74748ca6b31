/** The query fields `from` and `to` of lists by time. */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';

/** A time, or the first moment (UTC) of a day, in the form that the tables hold. */
export const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a time with its zone, such as 2027-01-31T18:00:00Z, or a day such as 2027-01-31',
  })
  .transform((text) => new Date(text).toISOString())
  .optional();

export const timeRange = {
  from: moment.describe('From this time on, such as 2026-11-24T00:00:00Z or 2026-11-24.'),
  to: moment.describe('Before this time.'),
};

/** Throws `invalid_request` for a range that ends before it begins. */
export function requireRange({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }): void {
  if (from !== undefined && to !== undefined && from >= to)
    throw new GatewayError('invalid_request', 'from: must be before to.', { param: 'from' });
}
