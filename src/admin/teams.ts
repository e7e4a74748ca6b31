/** GET /api/teams/{name}/members: the people of a team, as their last tokens described them. For administrators and those of the team. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import type { ConfigService } from '../config/service.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import { isPerson, personRef } from '../types/person.ts';
import type { TeamSpec } from '../types/team-spec.ts';
import { pageQuery } from './paging.ts';
import { nextPerson, readPersonCursor } from './people-cursor.ts';
import { requireTeam } from './team-access.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const member = z.object({
  id: z.string().describe('The subject, with the issuer where several are configured.'),
  username: z.string(),
  issuer: z.string(),
  administrator: z.boolean().describe('Administers the team.'),
  seen_at: z.string().describe('The time of the last token.'),
});

export function addTeams(app: FastifyInstance, config: ConfigService, people: PeopleReader): void {
  app.get<{ Params: z.output<typeof named>; Querystring: z.output<typeof pageQuery> }>(
    '/api/teams/:name/members',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['teams'],
        summary: 'The members of a team whose tokens have been seen',
        description: 'People whose last token had the role of the team. For administrators, and for administrators of the team.',
        params: named,
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(member), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const row = requireTeam(principal, 'view', { config, name: request.params.name, param: 'name' });
      const { role, administrator_role: administratorRole, administrators } = row.spec as TeamSpec;
      const { after, limit } = request.query;
      const cursor = after === undefined ? null : readPersonCursor(after);
      const page = await people.page({ tenant: row.tenant, after: cursor, limit, role });
      const data = page
        .filter(({ roles }) => roles.includes(role))
        .map((person) => ({
          id: config.people.show(personRef(person)),
          username: person.username,
          issuer: person.issuer,
          administrator:
            (administratorRole !== undefined && person.roles.includes(administratorRole)) ||
            administrators.some((each) => isPerson(person, each)),
          seen_at: new Date(person.seenAt).toISOString(),
        }));
      return { data, next: page.length < limit ? null : nextPerson(page.at(-1)) };
    },
  );
}
