/** GET /api/reports/series: calls, errors, tokens, money and latency over time. Administrators see the tenant's runs, those of a team the team's, others their own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { storedText } from '../api/bodies/stored-text.ts';
import { principalOf } from '../api/request-context.ts';
import { isAdministrator } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import { type RollupReader, type SeriesLabels, seriesDimensions } from '../storage/rollup-reader.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, splitPerson } from '../types/person.ts';
import { namesOf, requireTeam, requireTeamSums, type SumNames } from './team-access.ts';
import { moment } from './time-range.ts';

const stepMs = { hour: 3_600_000, day: 86_400_000 } as const;
/** The points of all series together. More would be too much for one answer and one chart. */
const mostPoints = 3_000;
const defaultMs = { hour: 24 * stepMs.hour, day: 30 * stepMs.day } as const;

const label = storedText(300).optional();

const seriesQuery = z.strictObject({
  from: moment.describe(
    'The start, such as 2026-11-24T00:00:00Z or 2026-11-24; rounded down to a full step. Default: 24 hours or 30 days ago.',
  ),
  to: moment.describe('The end, exclusive; rounded up to a full step. Default: now.'),
  step: z.enum(['hour', 'day']).default('hour').describe('The length of a point. Days are those of UTC.'),
  by: z
    .string()
    .max(100)
    .optional()
    .transform((text) => (text === undefined || text === '' ? [] : text.split(',')))
    .pipe(z.array(z.enum(seriesDimensions)).max(3))
    .describe(`Up to three dimensions that make a series, separated by commas: ${seriesDimensions.join(', ')}.`),
  top: z.coerce
    .number()
    .int()
    .min(1)
    .max(50)
    .default(10)
    .describe('The number of series with the most runs. The others are summed into one.'),
  user: storedText(longestPerson).optional().describe('Only this user, as in GET /api/me. For administrators.'),
  team: storedText(200)
    .optional()
    .describe('Only runs of this team: of callers who had its role. For administrators, and for administrators of the team.'),
  model: label.describe('Only this model, which answered.'),
  deployment: label.describe('Only this deployment, such as gpt#openai/gpt-5.'),
  provider: label,
  client: label,
  key: label,
  skill: label.describe('Only this skill with its inner calls.'),
  capability: label,
  error: label.describe('Only runs with this error code.'),
});

const latency = z.object({
  count: z.int().describe('The number of measured runs: complete ones.'),
  mean_ms: z.number().nullable(),
  p50_ms: z.number().nullable().describe('From a histogram whose bounds double.'),
  p95_ms: z.number().nullable(),
});
const measures = z.object({
  runs: z.int().describe('Includes the inner calls of skills and tool loops.'),
  calls: z.int().describe('The capability that callers requested.'),
  failed: z.int().describe('Runs with an error; by=error tells which.'),
  aborted: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cached_input_tokens: z.int(),
  cache_write_tokens: z.int(),
  reasoning_tokens: z.int(),
  cost: z
    .record(z.string(), z.number())
    .describe('An amount for each currency. By deployment or provider, tokens and cost are those of attempts, as vendors bill them.'),
  duration: latency.describe('From the start of a run to its end.'),
  first_token: latency.describe('From the start of a run to its first visible token.'),
});
const answer = z.object({
  from: z.string(),
  to: z.string(),
  step: z.enum(['hour', 'day']),
  by: z.array(z.string()),
  total: measures,
  series: z.array(
    z.object({
      of: z
        .record(z.string(), z.string().nullable())
        .nullable()
        .describe('The values of the dimensions; null for the sum of the other series.'),
      total: measures,
      points: z.array(measures.extend({ start: z.string() })).describe('In order of time, without those that have no runs.'),
    }),
  ),
});

const text = (epoch: number): string => new Date(epoch).toISOString();

function periodOf({ from, to, step }: z.output<typeof seriesQuery>): { from: number; to: number } {
  const length = stepMs[step];
  const end = Math.ceil((to === undefined ? Date.now() : Date.parse(to)) / length) * length;
  const start = Math.floor((from === undefined ? end - defaultMs[step] : Date.parse(from)) / length) * length;
  if (start >= end) throw new GatewayError('invalid_request', 'from: must be before to.', { param: 'from' });
  return { from: start, to: end };
}

export function addReports(app: FastifyInstance, rollups: RollupReader, config: Pick<ConfigService, 'people' | 'row' | 'rows'>): void {
  const shown = (of: SeriesLabels | null, names: SumNames): SeriesLabels | null =>
    of === null
      ? null
      : {
          ...of,
          ...(typeof of.user === 'string' ? { user: names.person(of.user) } : {}),
          ...(typeof of.team === 'string' ? { team: names.team(of.team) } : {}),
        };

  app.get<{ Querystring: z.output<typeof seriesQuery> }>(
    '/api/reports/series',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['usage'],
        summary: 'Calls, errors, tokens, money and latency over time',
        description: 'Read from sums by hour and by day, which each run enters when it has ended.',
        querystring: seriesQuery,
        response: { 200: answer },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { query } = request;
      const { by: dimensions, step, top, from: _from, to: _to, user, team: teamName, ...only } = query;
      const period = periodOf(query);
      const by = [...new Set(dimensions)];
      const steps = (period.to - period.from) / stepMs[step];
      if (steps * (by.length === 0 ? 1 : top + 1) > mostPoints)
        throw new GatewayError(
          'invalid_request',
          `from: ${steps} points of ${top + 1} series are more than ${mostPoints}. Ask for a shorter time, step=day, or a smaller top.`,
          { param: 'from' },
        );
      const team = teamName === undefined ? null : requireTeam(principal, 'view', { config, name: teamName, param: 'team' });
      if (team !== null || by.includes('team')) requireTeamSums(by, only);
      const seesAll = isAdministrator(principal) || team !== null;
      const ref = user === undefined ? null : config.people.resolve(user, 'user');
      if (ref !== null && !isPerson(principal, ref) && !seesAll)
        throw new GatewayError('permission_denied', 'Only administrators may see the runs of others. Leave out user to see your own.', {
          param: 'user',
        });
      const person = seesAll ? (ref === null ? null : splitPerson(ref)) : principal;
      const { total, series } = await rollups.series({
        tenant: principal.tenant,
        person,
        team: team?.id ?? null,
        ...period,
        step,
        by,
        only,
        top,
      });
      const names = namesOf(config, principal.tenant);
      return {
        from: text(period.from),
        to: text(period.to),
        step,
        by,
        total,
        series: series.map((each) => ({
          of: shown(each.of, names),
          total: each.total,
          points: each.points.map((point) => ({ ...point, start: text(point.start) })),
        })),
      };
    },
  );
}
