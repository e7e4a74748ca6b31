/** The row of a limit: which calls are counted, and how many are allowed. */
import { z } from 'zod';
import { budgetAlertsSpec } from './budget-alerts.ts';
import { amountField, currencyField, parseAmount } from './money.ts';
import { foreignNameField, textField } from './printable-text.ts';
import { longestPerson } from './person.ts';
import { timeZoneField } from './price-spec.ts';
import { name } from './spec-fields.ts';

const most = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const spendField = (unit: string) => amountField(unit, 6).refine((value) => parseAmount(value) !== 0n, 'must be more than 0');

export const limitSpec = z
  .strictObject({
    description: textField(1024).default(''),
    subject_type: z
      .enum(['tenant', 'team', 'role', 'user', 'client', 'key'])
      .describe('Whose calls are counted. A team is all people with one role or group in their token; they share one count.'),
    subject: foreignNameField(longestPerson)
      .default('*')
      .describe(
        'The user (with the issuer, `<issuer>#<subject>`, where several are configured), role, team (a role or group of the token), client or key; * for any of them, each counted alone. Left out for the whole tenant.',
      ),
    shared: z.boolean().default(false).describe('For a role: all who hold it share one count; otherwise each has a separate count.'),
    capability: z
      .string()
      .regex(
        /^(?:(?:model|mcp)\/[^\s]+|provider\/[^\s#]+)$/,
        'model/<name>, provider/<name>, mcp/<server> or mcp/<server>/<tool>; a trailing * matches any rest; or <kind>/#<tag>',
      )
      .max(300)
      .default('model/*')
      .describe('Which models or tools are counted. A provider stands for every model that may call it, whatever its name.'),
    per_model: z.boolean().default(false).describe('Each model or tool has a separate count; otherwise all that are named share one.'),
    requests_per_minute: most.optional(),
    tokens_per_minute: most.optional().describe('Input and output together.'),
    concurrent_calls: most.optional(),
    spend: z
      .strictObject({
        currency: currencyField,
        per_day: spendField('per day').optional(),
        per_week: spendField('per week, from Monday').optional(),
        per_month: spendField('per month').optional(),
        total: spendField('in all').optional(),
        time_zone: timeZoneField
          .optional()
          .describe("The time zone of days, weeks and months, such as Asia/Shanghai. Default: the tenant's (PAILOU_TIME_ZONE), else UTC."),
        alerts: budgetAlertsSpec.optional(),
      })
      .refine(
        (spend) => [spend.per_day, spend.per_week, spend.per_month, spend.total].some((each) => each !== undefined),
        'give at least one of per_day, per_week, per_month and total',
      )
      .optional(),
    unknown_price: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe('Under a limit of spend: what happens with a model that has a deployment without a price in its currency.'),
    expected_output_tokens: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(1_000)
      .describe('Reserved for the answer to a call without max_tokens, until its usage is known.'),
    replaces: name
      .optional()
      .describe(
        'The name of a limit that does not count the callers of this one, so that one person can have other amounts than the rest.',
      ),
    expires_at: z.iso
      .datetime({ offset: true })
      .nullable()
      .default(null)
      .describe('From then on the limit counts nothing and replaces nothing.'),
  })
  .refine(
    (spec) => [spec.requests_per_minute, spec.tokens_per_minute, spec.concurrent_calls, spec.spend].some((each) => each !== undefined),
    'give at least one of requests_per_minute, tokens_per_minute, concurrent_calls and spend',
  )
  .refine((spec) => spec.subject_type !== 'tenant' || spec.subject === '*', {
    path: ['subject'],
    message: 'leave it out: a limit of the tenant counts all its people',
  })
  .refine((spec) => !spec.capability.startsWith('mcp/') || (spec.tokens_per_minute === undefined && spec.spend === undefined), {
    path: ['capability'],
    message: 'tools have neither tokens nor prices: limit their requests_per_minute or concurrent_calls',
  })
  .refine((spec) => (spec.subject_type !== 'role' && spec.subject_type !== 'team') || spec.subject !== '*', {
    path: ['subject'],
    message: 'name the role, or the role or group that makes the team',
  });

export type LimitSpec = z.output<typeof limitSpec>;
