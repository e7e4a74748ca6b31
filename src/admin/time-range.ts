/** The query fields `from` and `to` of lists by time. */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';

const time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString())
  .optional();

export const timeRange = {
  from: time.describe('From this time on, such as 2026-11-24T00:00:00Z.'),
  to: time.describe('Before this moment.'),
};

/** Throws `invalid_request` for a range that ends before it begins. */
export function requireRange({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }): void {
  if (from !== undefined && to !== undefined && from >= to)
    throw new GatewayError('invalid_request', 'from: must be before to.', { param: 'from' });
}
