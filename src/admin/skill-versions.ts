/** /api/skills/{name}/versions, …/publish, …/rollback: what callers get of a skill, and from when on. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { requireRight } from '../api/calls/caller.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import type { CallServices } from '../api/calls/services.ts';
import { isVersion, skillOf, versionName } from '../config/skill-versions.ts';
import type { ConfigService } from '../config/service.ts';
import type { Action } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { actorOf, expectedRevision } from './actor.ts';
import { capabilityOf, type Collection, collections } from './collections.ts';
import { rowView, showRow } from './row-view.ts';
import { evaluateDraft } from './skill-evaluation.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'three numbers, such as 1.0.0');
const publishBody = z.strictObject({ version: version.optional().describe("Unless given, the row's own.") }).nullish();
const rollbackBody = z.strictObject({
  version: version.nullable().describe('A published version; null for the row itself, as it is now and as it changes.'),
});
const versionView = z.object({
  version: z.string(),
  live: z.boolean(),
  published_at: z.string(),
  published_by: z.string(),
  spec: z.record(z.string(), z.unknown()),
});

function isLower(one: string, other: string): boolean {
  const [a, b] = [one, other].map((each) => each.split('.').map(Number));
  const at = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return at !== -1 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}

const collection = collections.find((each) => each.kind === 'skill') as Collection;

export function addSkillVersions(app: FastifyInstance, config: ConfigService, services: CallServices): void {
  const tags = ['skills'];
  const manage = { access: ['llm:skill:manage'] as const, decides: true };

  const found = (request: FastifyRequest<{ Params: z.output<typeof named> }>, action: Action): ConfigRow => {
    const principal = principalOf(request);
    const { name } = request.params;
    const row = isVersion(name) ? undefined : config.row(principal.tenant, 'skill', name);
    if (row === undefined) throw new GatewayError('not_found', `There is no skill named "${name}".`, { param: 'name' });
    requireRight({ principal, view: snapshotOf(request).tenant(principal.tenant) }, action, capabilityOf(collection, row));
    return row;
  };
  const versionsOf = ({ tenant, name }: ConfigRow): ConfigRow[] =>
    config.rows(tenant, 'skill').filter((row) => isVersion(row.name) && skillOf(row.name) === name);
  const shown = (request: FastifyRequest, { tenant, name }: ConfigRow) => {
    const row = config.row(tenant, 'skill', name);
    if (row === undefined) throw new GatewayError('not_found', `There is no skill named "${name}".`, { param: 'name' });
    return showRow(config.mask(row));
  };

  app.get<{ Params: z.output<typeof named> }>(
    '/api/skills/:name/versions',
    {
      config: { access: ['llm:skill:view'] },
      schema: {
        tags,
        summary: 'Published versions of a skill, newest first',
        params: named,
        response: { 200: z.object({ data: z.array(versionView) }) },
      },
    },
    async (request) => {
      const row = found(request, 'view');
      const data = versionsOf(row).map((each) => {
        const own = each.name.slice(row.name.length + 1);
        const { spec } = config.mask(each);
        return {
          version: own,
          live: row.spec['live'] === own,
          published_at: each.createdAt,
          published_by: each.createdBy,
          spec: { ...spec },
        };
      });
      return { data: data.toSorted((one, other) => (one.published_at < other.published_at ? 1 : -1)) };
    },
  );

  app.post<{ Params: z.output<typeof named>; Body: z.output<typeof publishBody> }>(
    '/api/skills/:name/publish',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Publish the skill as it is',
        description: 'Callers get this version from now on, whatever becomes of the row. A published version never changes.',
        params: named,
        body: publishBody,
        response: { 200: rowView },
      },
    },
    async (request, reply) => {
      const row = found(request, 'manage');
      const { tenant, name } = row;
      const { spec } = config.mask(row);
      const wanted = request.body?.version ?? (spec['version'] as string);
      if (versionsOf(row).some((each) => each.name === versionName(name, wanted)))
        throw new GatewayError(
          'already_exists',
          `Version ${wanted} of the skill "${name}" is published already; give the row a higher one (spec.version), and publish.`,
          {
            param: 'version',
          },
        );
      const live = spec['live'];
      if (typeof live === 'string' && isLower(wanted, live))
        throw new GatewayError(
          'invalid_request',
          `version: ${wanted} is lower than ${live}, which callers get now; publish a higher number. To go back to an older version, roll back.`,
          { param: 'version' },
        );
      if (spec['publish_needs_cases'] === true) {
        const { failed, data } = await evaluateDraft(services, request, reply, name);
        const first = data.find((each) => !each.passed);
        if (first !== undefined)
          throw new GatewayError(
            'invalid_request',
            `${failed} of ${data.length} cases fail, so nothing was published; the first is "${first.case}": ${first.fault}.`,
            {
              param: 'cases',
            },
          );
      }
      const changes = [
        {
          kind: 'skill' as const,
          tenant,
          name: versionName(name, wanted),
          operation: 'create' as const,
          spec: { ...spec, version: wanted, live: null },
          owner: null,
        },
        {
          kind: 'skill' as const,
          tenant,
          name,
          operation: 'replace' as const,
          edit: (stored: ConfigRow['spec']) => ({ ...stored, version: wanted, live: wanted }),
          expectedRevision: expectedRevision(request) ?? row.revision,
        },
      ];
      const { revision } = await config.change(actorOf(request), changes, `publish version ${wanted} of skill ${name}`);
      return reply.header('x-pailou-revision', revision).send(shown(request, row));
    },
  );

  app.post<{ Params: z.output<typeof named>; Body: z.output<typeof rollbackBody> }>(
    '/api/skills/:name/rollback',
    {
      config: manage,
      schema: { tags, summary: 'Let callers get another published version', params: named, body: rollbackBody, response: { 200: rowView } },
    },
    async (request, reply) => {
      const row = found(request, 'manage');
      const { tenant, name } = row;
      const wanted = request.body.version;
      const refuseWithoutCases = ({ publish_needs_cases: needed }: ConfigRow['spec']): void => {
        if (wanted !== null || needed !== true) return;
        throw new GatewayError(
          'invalid_request',
          'version: callers of this skill get only versions whose cases passed (publish_needs_cases), never the row itself; name a published version.',
          { param: 'version' },
        );
      };
      refuseWithoutCases(row.spec);
      if (wanted !== null && !versionsOf(row).some((each) => each.name === versionName(name, wanted)))
        throw new GatewayError('not_found', `The skill "${name}" has no published version ${wanted}.`, { param: 'version' });
      const change = {
        kind: 'skill' as const,
        tenant,
        name,
        operation: 'replace' as const,
        edit: (stored: ConfigRow['spec']) => {
          refuseWithoutCases(stored);
          return { ...stored, live: wanted };
        },
        expectedRevision: expectedRevision(request),
      };
      const { revision } = await config.change(
        actorOf(request),
        [change],
        `let callers of skill ${name} get ${wanted ?? 'the row itself'}`,
      );
      return reply.header('x-pailou-revision', revision).send(shown(request, row));
    },
  );

  app.delete<{ Params: { name: string; version: string } }>(
    '/api/skills/:name/versions/:version',
    {
      config: manage,
      schema: { tags, summary: 'Delete a published version that is not live', params: named.extend({ version }) },
    },
    async (request, reply) => {
      const row = found(request, 'manage');
      const { version: wanted } = request.params;
      const { tenant, name } = row;
      if (row.spec['live'] === wanted)
        throw new GatewayError('invalid_request', `Version ${wanted} is what callers get; roll back to another one first.`, {
          param: 'version',
        });
      if (!versionsOf(row).some((each) => each.name === versionName(name, wanted)))
        throw new GatewayError('not_found', `The skill "${name}" has no published version ${wanted}.`, { param: 'version' });
      const change = { kind: 'skill' as const, tenant, name: versionName(name, wanted), operation: 'delete' as const };
      const { revision } = await config.change(actorOf(request), [change], `delete version ${wanted} of skill ${name}`);
      return reply.code(204).header('x-pailou-revision', revision).send();
    },
  );
}
