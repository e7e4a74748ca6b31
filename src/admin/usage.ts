/** GET /api/usage: tokens and cost by day, user, key, client, model, skill, deployment, provider or team. Administrators see the tenant's usage, those of a team the team's, others their own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdministrator } from '../auth/decide.ts';
import { principalOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import type { ConfigService } from '../config/service.ts';
import { usageDimensions, type UsageLine, type UsageReader } from '../storage/usage-reader.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, splitPerson } from '../types/person.ts';
import { csvOf, csvRows } from './csv.ts';
import { madeBeforeSent, sentWhileMade } from './file-body.ts';
import { namesOf, requireTeam, requireTeamSums, type SumNames } from './team-access.ts';

const dayMs = 86_400_000;
const maxDays = 1_100;

const usageQuery = z.strictObject({
  from: z.iso.date().optional().describe('The first day (UTC). Default: the first of this month.'),
  to: z.iso.date().optional().describe('The last day, inclusive. Default: today.'),
  by: z
    .string()
    .max(100)
    .default('model')
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(usageDimensions)).max(usageDimensions.length))
    .describe(`The dimensions to group by, separated by commas: ${usageDimensions.join(', ')}.`),
  user: storedText(longestPerson).optional().describe('Only this user, as in GET /api/me. For administrators.'),
  team: storedText(200)
    .optional()
    .describe('Only runs of this team: of callers who had its role. For administrators, and for administrators of the team.'),
  format: z.enum(['json', 'csv']).default('json').describe('A CSV file has all lines; JSON comes in pages.'),
  after: storedText(4_000).optional().describe('The `next` of the previous page of the same report.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000).describe('The number of lines of a page.'),
});

const line = z.object({
  currency: z.string().nullable(),
  attempts: z
    .int()
    .optional()
    .describe('By deployment or provider: the attempts, which also have the tokens and the cost, as the vendor bills them.'),
  calls: z.int().describe('The capability that callers requested.'),
  runs: z.int().describe('Includes the inner calls of skills and tool loops.'),
  failed: z.int(),
  aborted: z.int(),
  estimated: z.int().describe('Runs whose tokens the vendor did not report.'),
  unpriced: z.int().describe('Runs with tokens but without a price; they are not in the cost.'),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cached_input_tokens: z.int(),
  cache_write_tokens: z.int(),
  reasoning_tokens: z.int(),
  pictures: z.int(),
  milliseconds: z.int().describe('Of sound.'),
  characters: z.int().describe('Of text that was converted to speech.'),
  pages: z.int(),
  searches: z.int(),
  cost: z.number().describe('An amount of the currency.'),
});
/** Columns of the CSV that appear only when a report has such units. */
const otherUnits: ReadonlySet<string> = new Set(['cache_write_tokens', 'pictures', 'milliseconds', 'characters', 'pages', 'searches']);
const report = z.object({
  from: z.string(),
  to: z.string(),
  by: z.array(z.string()),
  data: z.array(z.looseObject(line.shape)),
  next: z.string().nullable().describe('Null on the last page.'),
});
/** Lines of a CSV file that are read and written at once. */
const linesAtOnce = 500;

const dayNumber = (date: string): number => Math.floor(Date.parse(`${date}T00:00:00Z`) / dayMs);

function flat({ of, ...sums }: UsageLine, names: SumNames): Record<string, string | number | null> {
  return {
    ...of,
    ...(typeof of.user === 'string' ? { user: names.person(of.user) } : {}),
    ...(typeof of.team === 'string' ? { team: names.team(of.team) } : {}),
    ...sums,
  };
}

export function addUsage(app: FastifyInstance, usage: UsageReader, config: Pick<ConfigService, 'people' | 'row' | 'rows'>): void {
  app.get<{ Querystring: z.output<typeof usageQuery> }>(
    '/api/usage',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['usage'],
        summary: 'Tokens and money over days',
        querystring: usageQuery,
        response: { 200: z.union([report, z.string()]) },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const today = new Date().toISOString().slice(0, 10);
      const { from = `${today.slice(0, 8)}01`, to = today, by, format } = request.query;
      const user = request.query.user === undefined ? null : config.people.resolve(request.query.user, 'user');
      const team =
        request.query.team === undefined ? null : requireTeam(principal, 'view', { config, name: request.query.team, param: 'team' });
      if (team !== null || by.includes('team')) requireTeamSums(by);
      const days = { from: dayNumber(from), to: dayNumber(to) + 1 };
      if (days.to <= days.from) throw new GatewayError('invalid_request', 'from: must not be after to.', { param: 'from' });
      if (days.to - days.from > maxDays)
        throw new GatewayError('invalid_request', `from: a report covers at most ${maxDays} days.`, { param: 'from' });
      const seesAll = isAdministrator(principal) || team !== null;
      if (user !== null && !isPerson(principal, user) && !seesAll)
        throw new GatewayError('permission_denied', 'Only administrators may see the usage of others. Leave out user to see your own.', {
          param: 'user',
        });
      const anyone = user === null ? null : splitPerson(user);
      const person = seesAll ? anyone : principal;
      const names = namesOf(config, principal.tenant);
      const dimensions = [...new Set(by)];
      const query = { tenant: principal.tenant, person, team: team?.id ?? null, ...days, by: dimensions };
      if (format === 'json') {
        const { lines, next } = await usage.report({ ...query, after: request.query.after ?? null, limit: request.query.limit });
        return reply.send({ from, to, by: dimensions, data: lines.map((each) => flat(each, names)), next });
      }
      const totals = await usage.report({ ...query, by: [], after: null, limit: linesAtOnce });
      const columns = [...dimensions, ...Object.keys(line.shape)].filter(
        (name) =>
          (name !== 'attempts' || dimensions.some((each) => each === 'deployment' || each === 'provider')) &&
          (!otherUnits.has(name) || totals.lines.some((each) => each[name as keyof typeof each] !== 0)),
      );
      const lines = usage.all({ ...query, limit: linesAtOnce });
      async function* parts(): AsyncGenerator<string> {
        let head = csvOf(columns, []);
        for await (const part of lines) {
          if (reply.raw.destroyed) return;
          const rows = part.map((each) => flat(each, names));
          yield head + csvRows(columns, rows);
          head = '';
        }
        if (head !== '') yield head;
      }
      // In another order the database adds up all days first, and holds the sums until the last line is read.
      const file = dimensions[0] === 'day' ? await sentWhileMade(parts()) : await madeBeforeSent(parts());
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="usage-${from}-${to}.csv"`)
        .send(file);
    },
  );
}
