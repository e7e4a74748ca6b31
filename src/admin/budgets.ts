/** GET /api/reports/budgets: what each budget has spent in its current period, and what is left. Administrators see all, others those that count them alone. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import { isAdministrator } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import { type BudgetState, budgetStates } from '../quota/budget-states.ts';
import { spendUnits } from '../quota/periods.ts';
import type { SpendReader } from '../storage/spend-reader.ts';

const budgetsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('The number of budgets, the fullest first.'),
});

const budget = z.object({
  limit: z.string().describe('The name in GET /api/limits.'),
  subject_type: z.enum(['tenant', 'team', 'role', 'user', 'client', 'key']),
  subject: z.string().describe('Whom the limit names; * for each one.'),
  counted: z.string().nullable().describe('The person, client or key with this count; null for one that all share.'),
  capability: z.string(),
  model: z.string().nullable().describe('The model with this count, when each model has one.'),
  period: z.enum(spendUnits),
  from: z.string(),
  until: z.string().nullable().describe('When the count starts again; null for a total, which never does.'),
  currency: z.string(),
  spent: z.number().describe('By the ledger. Calls in progress are not in it.'),
  amount: z.number(),
  left: z.number().describe('0 when more was spent than the amount.'),
});
const answer = z.object({
  data: z.array(budget),
  total: z.int().describe('The number of budgets with a count; data holds the fullest of them.'),
});

const money = (micro: number): number => Number((micro / 1_000_000).toFixed(6));

function shown({ rule, counted, model, period, spent, amount }: BudgetState, show: (ref: string) => string): z.input<typeof budget> {
  const { subject_type: type, subject, capability, spend } = rule.spec;
  const isPersonal = type === 'user' || type === 'role';
  return {
    limit: rule.name,
    subject_type: type,
    subject: type === 'user' && subject !== '*' ? show(subject) : subject,
    counted: counted !== null && isPersonal ? show(counted) : counted,
    capability,
    model,
    period: period.unit,
    from: new Date(period.from).toISOString(),
    until: period.unit === 'total' ? null : new Date(period.until).toISOString(),
    currency: spend?.currency ?? '',
    spent: money(spent),
    amount: money(amount),
    left: money(Math.max(0, amount - spent)),
  };
}

export function addBudgets(app: FastifyInstance, config: Pick<ConfigService, 'current' | 'people'>, reader: SpendReader): void {
  app.get<{ Querystring: z.output<typeof budgetsQuery> }>(
    '/api/reports/budgets',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['usage'],
        summary: 'Budgets in their current periods: spent, left, until when',
        description:
          'Administrators see all budgets of the tenant. Other people see the budgets that count them alone, not those that they share.',
        querystring: budgetsQuery,
        response: { 200: answer },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenant } = principal;
      const states = await budgetStates(reader, {
        tenant,
        view: config.current().tenant(tenant),
        now: Date.now(),
        person: isAdministrator(principal) ? null : principal,
      });
      const show = (ref: string): string => config.people.show(ref);
      return { data: states.slice(0, request.query.limit).map((state) => shown(state, show)), total: states.length };
    },
  );
}
