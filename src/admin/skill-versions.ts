/** /api/skills/{name}/versions, …/rollback: the published versions of a skill, and the live one. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { snapshotOf } from '../api/request-context.ts';
import type { ConfigService } from '../config/service.ts';
import { versionName } from '../config/skill-versions.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { versionNumber } from '../types/skill-spec.ts';
import { expectedRevision } from './actor.ts';
import { mayManage, publicSpec } from './public-rows.ts';
import { rowView } from './row-view.ts';
import { editOf, hasVersion, invalidVersion, type NamedSkill, namedSkill, requireRow, sendChangedRow, versionsOf } from './skill-rows.ts';
import { writerOf } from './writer.ts';

const rollbackBody = z.strictObject({
  version: versionNumber.nullable().describe('A published version; null for the row itself, with every later change.'),
});
const versionView = z.object({
  version: z.string(),
  live: z.boolean(),
  published_at: z.string(),
  published_by: z.string(),
  spec: z.record(z.string(), z.unknown()),
});

function requireVersion(config: ConfigService, row: ConfigRow, version: string): void {
  if (hasVersion(config, row, version)) return;
  throw new GatewayError('not_found', `The skill "${row.name}" has no published version ${version}.`, { param: 'version' });
}

/** Throws when callers would get the draft, whose cases have not been run. */
function refuseUntried({ publish_needs_cases: needed }: ConfigRow['spec'], wanted: string | null): void {
  if (wanted !== null || needed !== true) return;
  throw invalidVersion(
    'version: callers of this skill get only versions whose cases passed (publish_needs_cases), never the row itself; name a published version.',
  );
}

export function addSkillVersions(app: FastifyInstance, config: ConfigService): void {
  const tags = ['skills'];
  const manage = { access: ['llm:skill:manage'] as const, decides: true, writes: ['skill'] as const };

  app.get<{ Params: NamedSkill }>(
    '/api/skills/:name/versions',
    {
      config: { access: ['llm:skill:view'] },
      schema: {
        tags,
        summary: 'Published versions of a skill, newest first',
        params: namedSkill,
        response: { 200: z.object({ data: z.array(versionView) }) },
      },
    },
    async (request) => {
      const row = requireRow(config, request, 'view');
      const manages = mayManage(request, row);
      const { skillVersions } = snapshotOf(request).tenant(row.tenant);
      const data = versionsOf(config, row).map((each) => {
        const version = each.name.slice(row.name.length + 1);
        const masked = config.mask(each);
        const spec = manages ? masked.spec : publicSpec('skill', masked.spec, skillVersions.get(each.name));
        return {
          version,
          live: row.spec['live'] === version,
          published_at: each.createdAt,
          published_by: config.people.show(each.createdBy),
          spec: { ...spec },
        };
      });
      return { data: data.toSorted((one, other) => (one.published_at < other.published_at ? 1 : -1)) };
    },
  );

  app.post<{ Params: NamedSkill; Body: z.output<typeof rollbackBody> }>(
    '/api/skills/:name/rollback',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Roll back: callers get another published version',
        params: namedSkill,
        body: rollbackBody,
        response: { 200: rowView },
      },
    },
    async (request, reply) => {
      const row = requireRow(config, request, 'manage');
      const wanted = request.body.version;
      refuseUntried(row.spec, wanted);
      if (wanted !== null) requireVersion(config, row, wanted);
      const change = editOf(row, expectedRevision(request), (stored) => {
        refuseUntried(stored, wanted);
        return { ...stored, live: wanted };
      });
      return sendChangedRow(config, request, reply, row, [change], `let callers of skill ${row.name} get ${wanted ?? 'the row itself'}`);
    },
  );

  app.delete<{ Params: NamedSkill & { version: string } }>(
    '/api/skills/:name/versions/:version',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Delete a published version that is not live',
        params: namedSkill.extend({ version: versionNumber }),
      },
    },
    async (request, reply) => {
      const row = requireRow(config, request, 'manage');
      const { version } = request.params;
      const { tenant, name } = row;
      if (row.spec['live'] === version) throw invalidVersion(`Version ${version} is what callers get; roll back to another one first.`);
      requireVersion(config, row, version);
      const change = { kind: 'skill' as const, tenant, name: versionName(name, version), operation: 'delete' as const };
      const { revision } = await config.change(writerOf(request), [change], `delete version ${version} of skill ${name}`);
      return reply.code(204).header('x-pailou-revision', revision).send();
    },
  );
}
