/** GET /api/reports/failed-attempts: the attempts of each deployment that failed, by hour, also where another deployment answered then. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import type { FailedAttemptsReader } from '../storage/failed-attempts.ts';
import { GatewayError } from '../types/errors.ts';
import { moment } from './time-range.ts';

const hourMs = 3_600_000;
const mostHours = 168;

const failedQuery = z.strictObject({
  from: moment.describe('The start, rounded down to a full hour. Default: 24 hours before the end.'),
  to: moment.describe('The end, exclusive; rounded up to a full hour. Default: now.'),
  top: z.coerce.number().int().min(1).max(200).default(50).describe('The number of deployments with the most failed attempts.'),
});

const answer = z.object({
  from: z.string(),
  to: z.string(),
  data: z.array(
    z.object({
      deployment: z.string(),
      points: z.array(z.object({ start: z.string(), failed: z.int() })).describe('In order of time, without hours that have none.'),
    }),
  ),
});

const text = (epoch: number): string => new Date(epoch).toISOString();

function periodOf({ from, to }: z.output<typeof failedQuery>): { from: number; to: number } {
  const end = Math.ceil((to === undefined ? Date.now() : Date.parse(to)) / hourMs) * hourMs;
  const start = Math.floor((from === undefined ? end - 24 * hourMs : Date.parse(from)) / hourMs) * hourMs;
  if (start >= end) throw new GatewayError('invalid_request', 'from: must be before to.', { param: 'from' });
  if (end - start > mostHours * hourMs)
    throw new GatewayError('invalid_request', `from: ask for ${mostHours} hours at most.`, { param: 'from' });
  return { from: start, to: end };
}

export function addFailedAttempts(app: FastifyInstance, reader: FailedAttemptsReader): void {
  app.get<{ Querystring: z.output<typeof failedQuery> }>(
    '/api/reports/failed-attempts',
    {
      config: { access: 'administrator' },
      schema: {
        tags: ['usage'],
        summary: 'Failed attempts by deployment and hour',
        description:
          'Every attempt that a vendor failed, whether another deployment answered then or not, in the hour in which it began. Read from sums that each attempt enters when its run has ended.',
        querystring: failedQuery,
        response: { 200: answer },
      },
    },
    async (request) => {
      const period = periodOf(request.query);
      const found = await reader.byHour({ tenant: principalOf(request).tenant, ...period, top: request.query.top });
      const data = found.map(({ deployment, points }) => ({
        deployment,
        points: points.map(({ start, failed }) => ({ start: text(start), failed })),
      }));
      return { from: text(period.from), to: text(period.to), data };
    },
  );
}
