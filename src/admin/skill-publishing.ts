/** POST /api/skills/{name}/publish: stores the row as an immutable version and makes it live. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CallServices } from '../application/services.ts';
import type { ConfigService } from '../config/service.ts';
import { versionName } from '../config/skill-versions.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { versionNumber } from '../types/skill-spec.ts';
import { expectedRevision } from './actor.ts';
import { rowView } from './row-view.ts';
import { evaluateDraft } from './skill-evaluation.ts';
import { editOf, hasVersion, invalidVersion, type NamedSkill, namedSkill, requireRow, sendChangedRow } from './skill-rows.ts';

const publishBody = z.strictObject({ version: versionNumber.optional().describe("Default: the row's own.") }).nullish();

function isLower(one: string, other: string): boolean {
  const [a, b] = [one, other].map((each) => each.split('.').map(Number));
  const at = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return at !== -1 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}

/** Throws for an existing version, and for one that is lower than the live one. */
function requireNewVersion(config: ConfigService, row: ConfigRow, wanted: string): void {
  if (hasVersion(config, row, wanted))
    throw new GatewayError(
      'already_exists',
      `Version ${wanted} of the skill "${row.name}" is published already; give the row a higher one (spec.version), and publish.`,
      { param: 'version' },
    );
  const { live } = row.spec;
  if (typeof live === 'string' && isLower(wanted, live))
    throw invalidVersion(
      `version: ${wanted} is lower than ${live}, which callers get now; publish a higher number. To go back to an older version, roll back.`,
    );
}

/** Throws for a failing case of a draft whose row requires all cases to pass. */
async function requireCases(services: CallServices, request: FastifyRequest, reply: FastifyReply, row: ConfigRow): Promise<void> {
  if (row.spec['publish_needs_cases'] !== true) return;
  const { failed, data } = await evaluateDraft(services, request, reply, row.name);
  const first = data.find((each) => !each.passed);
  if (first === undefined) return;
  throw new GatewayError(
    'invalid_request',
    `${failed} of ${data.length} cases fail, so nothing was published; the first is "${first.case}": ${first.fault}.`,
    { param: 'cases' },
  );
}

export function addSkillPublishing(app: FastifyInstance, config: ConfigService, services: CallServices): void {
  app.post<{ Params: NamedSkill; Body: z.output<typeof publishBody> }>(
    '/api/skills/:name/publish',
    {
      config: { access: ['llm:skill:manage'], decides: true, writes: ['skill'] },
      schema: {
        tags: ['skills'],
        summary: 'Publish the row as a version',
        description: 'Callers get this version from now on; later changes of the row do not affect it. A published version never changes.',
        params: namedSkill,
        body: publishBody,
        response: { 200: rowView },
      },
    },
    async (request, reply) => {
      const row = requireRow(config, request, 'manage');
      const { tenant, name } = row;
      const { spec } = config.mask(row);
      const wanted = request.body?.version ?? (spec['version'] as string);
      requireNewVersion(config, row, wanted);
      await requireCases(services, request, reply, row);
      const changes = [
        {
          kind: 'skill' as const,
          tenant,
          name: versionName(name, wanted),
          operation: 'create' as const,
          spec: { ...spec, version: wanted, live: null, runs_as_allowed: null },
          owner: null,
        },
        editOf(row, expectedRevision(request) ?? row.revision, (stored) => ({ ...stored, version: wanted, live: wanted })),
      ];
      return sendChangedRow(config, request, reply, row, changes, `publish version ${wanted} of skill ${name}`);
    },
  );
}
