/** The alerts of a budget: the webhook, and the shares of the budget at which it is called. */
import { z } from 'zod';
import { secret } from './secret.ts';

/** The mask of a stored secret; see `secret-box.ts`. */
const kept = '***';

export const budgetAlertsSpec = z
  .strictObject({
    url: z.url().max(2_048).describe('The webhook: https, or http at a private address that the operator allows.'),
    secret: secret()
      .refine((text) => text === kept || text.length >= 16, 'must have at least 16 characters; write whsec_ and 32 random bytes as base64')
      .refine((text) => !text.startsWith('whsec_') || /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/.test(text), 'must be base64 after whsec_')
      .describe('Signs each message by HMAC-SHA256, as Standard Webhooks describes. What follows whsec_ is base64 of the key.'),
    at: z
      .array(z.int().min(1).max(100))
      .min(1)
      .max(10)
      .default([50, 80, 100])
      .describe('Percent of the budget. Each is sent once in each period.'),
  })
  .describe('A webhook that is called when a threshold of the budget is reached.');
