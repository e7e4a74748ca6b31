/** POST /api/skills/{name}/runs-as: an administrator allows the live version to run with its own list, or withdraws that. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ConfigService } from '../config/service.ts';
import { liveVersion, runsAsDigest } from '../config/runs-as.ts';
import { versionNumber } from '../types/skill-spec.ts';
import { actorOf, expectedRevision } from './actor.ts';
import { rowView } from './row-view.ts';
import { editOf, invalidVersion, type NamedSkill, namedSkill, requireRow, sendChangedRow } from './skill-rows.ts';

const runsAsBody = z.strictObject({
  version: versionNumber.nullable().describe('The live version that was reviewed; null revokes the allowance.'),
});

export function addSkillRunsAs(app: FastifyInstance, config: ConfigService): void {
  app.post<{ Params: NamedSkill; Body: z.output<typeof runsAsBody> }>(
    '/api/skills/:name/runs-as',
    {
      config: { access: 'administrator', writes: ['skill'] },
      schema: {
        tags: ['skills'],
        summary: 'Allow the live version of a skill to run with its own list',
        description:
          'Its callers then need no right to the model, tools and skills that it names. The allowance is for this version and the rows that it names now: another version, or another row of one of the names, runs with the rights of its caller until it is allowed again.',
        params: namedSkill,
        body: runsAsBody,
        response: { 200: rowView },
      },
    },
    async (request, reply) => {
      const row = requireRow(config, request, 'manage');
      const { version: wanted } = request.body;
      const live = liveVersion(row, config.rowSet());
      if (wanted !== null && (live === undefined || live.spec['version'] !== wanted))
        throw invalidVersion(`version: ${wanted} is not the version that callers get; publish it, or roll back to it first.`);
      if (wanted !== null && live?.spec['runs_as'] !== 'skill')
        throw invalidVersion(`version: the published version ${wanted} does not say runs_as: skill.`);
      const allowed =
        wanted === null || live === undefined
          ? null
          : { version: wanted, digest: runsAsDigest(live, config.rowSet()), by: actorOf(request).subject, at: new Date().toISOString() };
      // The allowance applies to the version that was read.
      const change = editOf(row, expectedRevision(request) ?? row.revision, (stored) => ({ ...stored, runs_as_allowed: allowed }));
      const summary =
        allowed === null
          ? `skill ${row.name} runs with the rights of its caller`
          : `allow version ${wanted} of skill ${row.name} to run with its own list`;
      return sendChangedRow(config, request, reply, row, [change], summary);
    },
  );
}
