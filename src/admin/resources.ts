/** Create, read, update and delete for providers, models, skills, MCP servers and limits: one set of routes for all collections. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { decide, isAdministrator } from '../auth/decide.ts';
import { principalOf, type RouteAccess, snapshotOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import { isVersion, skillOf } from '../config/skill-versions.ts';
import type { Mutation } from '../config/mutations.ts';
import { parseSpec } from '../config/parse-spec.ts';
import { showRow } from '../config/shown-row.ts';
import type { ConfigService } from '../config/service.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import { refuseShared } from '../config/shared-rows.ts';
import type { Action, Decision, Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, personRef } from '../types/person.ts';
import { type ConfigRow, resourceNames, resourceSpecs } from '../types/resources.ts';
import type { SkillSpec } from '../types/skill-spec.ts';
import { expectedRevision } from './actor.ts';
import { type GivenRow, givenRow, patchedSpec, patching, replacing, requireFixed, retryPatch, rowPatch, seenRevision } from './row-body.ts';
import type { Collection } from './collections.ts';
import { pageOf, pageQuery } from './paging.ts';
import { visibleRow } from './public-rows.ts';
import { rowView, showVisible } from './row-view.ts';
import { requireReferences } from './skill-references.ts';
import { writerOf } from './writer.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const ownerField = storedText(longestPerson)
  .nullable()
  .optional()
  .describe('The owner, as in GET /api/me; only an administrator may set another person.');

function describeChange(act: string, collection: Collection, name: string): string {
  return `${act} ${collection.title} ${name}`;
}

/** The error for a missing row; the same for an unknown name and for another tenant's row. */
function notHere(collection: Collection, name: string): GatewayError {
  return new GatewayError('not_found', `There is no ${collection.title} named "${name}".`, { param: 'name' });
}

function accessOf({ rights, administratorsOnly }: Collection, action: 'view' | 'manage'): { access: RouteAccess } {
  return { access: administratorsOnly === true ? 'administrator' : [`llm:${rights}:${action}`] };
}

const deletion =
  'Grants on it are deleted with it; the header x-pailou-deleted-grants contains their number and the first names. A later row with the same name inherits none of them.';
const mostNamed = 20;

/** The number of deleted grants, and the first names. */
function grantHeaders(deleted: readonly string[]): Record<string, string> {
  if (deleted.length === 0) return {};
  return { 'x-pailou-deleted-grants': [deleted.length, ...deleted.slice(0, mostNamed)].join(', ') };
}

export function addCollection(app: FastifyInstance, config: ConfigService, collection: Collection): void {
  const { kind, path, title } = collection;
  const tags = [path];
  const { mayRead } = collection;
  const read = mayRead === undefined ? accessOf(collection, 'view') : { access: 'signed-in' as const };
  const manage = accessOf(collection, 'manage');
  const writes = { writes: [kind] };
  const manageOne = { ...manage, decides: collection.administratorsOnly !== true };
  const inputSpec = resourceSpecs[kind];
  const createBody = z.strictObject({ name: resourceNames[kind], spec: inputSpec, enabled: z.boolean().optional(), owner: ownerField });
  const replaceBody = z.strictObject({ ...givenRow, spec: inputSpec, enabled: z.boolean().optional(), owner: ownerField });
  const patchBody = rowPatch.extend({ owner: ownerField });

  const decideView = (request: FastifyRequest, row: ConfigRow): Decision =>
    mayRead === undefined
      ? decideOn(request, 'view', row)
      : mayRead(principalOf(request), row, (other, name) => config.row(row.tenant, other, name));
  const decideOn = (request: FastifyRequest, action: Action, row: Pick<ConfigRow, 'name' | 'tenant' | 'owner' | 'spec'>): Decision => {
    const principal = principalOf(request);
    return decide(principal, action, capabilityOfRow(kind, row), snapshotOf(request).tenant(principal.tenant).grants, Date.now());
  };
  const requireAllowed = (action: Action, name: string, decision: Decision): void => {
    if (!decision.allowed) throw new GatewayError('permission_denied', `You may not ${action} the ${title} "${name}": ${decision.reason}`);
  };
  const requireOn = (request: FastifyRequest, action: Action, row: Pick<ConfigRow, 'name' | 'tenant' | 'owner' | 'spec'>): void =>
    requireAllowed(action, row.name, decideOn(request, action, row));
  const find = (request: FastifyRequest, name: string): ConfigRow => {
    const row = config.row(principalOf(request).tenant, kind, name);
    if (row === undefined && isAdministrator(principalOf(request))) refuseShared(config.rowSet(), principalOf(request).tenant, kind, name);
    // Published versions have routes of their own.
    if (row === undefined || (kind === 'skill' && isVersion(name))) throw notHere(collection, name);
    return row;
  };
  const requireNames = (request: FastifyRequest, name: string, spec: z.output<typeof inputSpec>, before?: ConfigRow['spec']): void => {
    if (kind === 'skill') requireReferences(config, request, name, { spec: spec as SkillSpec, before });
  };
  const requireOwner = (principal: Principal, owner: string | null | undefined): void => {
    if (owner === undefined) return;
    const wanted = owner === null ? null : config.people.resolve(owner, 'owner');
    if (!isPerson(principal, wanted) && !isAdministrator(principal))
      throw new GatewayError('permission_denied', 'Only an administrator may name another owner.', { param: 'owner' });
  };

  app.get<{ Querystring: z.output<typeof pageQuery> }>(
    `/api/${path}`,
    {
      config: read,
      schema: {
        tags,
        summary: `List each ${title} that you may see`,
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(rowView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const visible = config
        .rows(principalOf(request).tenant, kind)
        .filter((row) => !(kind === 'skill' && isVersion(row.name)) && decideView(request, row).allowed)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const page = pageOf(visible, (row) => row.name, request.query);
      return { data: page.data.map((row) => showVisible(visibleRow(request, config, row))), next: page.next };
    },
  );

  app.get<{ Params: z.output<typeof named> }>(
    `/api/${path}/:name`,
    { config: read, schema: { tags, summary: `Read one ${title}`, params: named, response: { 200: rowView } } },
    async (request, reply) => {
      const row = find(request, request.params.name);
      requireAllowed('view', row.name, decideView(request, row));
      return reply.header('etag', `"${row.revision}"`).send(showVisible(visibleRow(request, config, row)));
    },
  );

  app.post<{ Body: z.output<typeof createBody> }>(
    `/api/${path}`,
    { config: { ...manage, ...writes }, schema: { tags, summary: `Create a ${title}`, body: createBody, response: { 201: rowView } } },
    async (request, reply) => {
      const principal = principalOf(request);
      const { name, spec, enabled, owner } = request.body;
      if (kind === 'skill' && isVersion(name))
        throw new GatewayError('invalid_request', `name: versions are made by POST /api/skills/${skillOf(name)}/publish.`, {
          param: 'name',
        });
      requireOwner(principal, owner);
      requireOn(request, 'manage', { name, tenant: principal.tenant, owner: personRef(principal), spec });
      requireNames(request, name, spec);
      const mutation = {
        kind,
        tenant: principal.tenant,
        name,
        operation: 'create' as const,
        spec,
        enabled: enabled ?? true,
        owner: owner === undefined ? personRef(principal) : owner,
      };
      const { revision } = await config.change(writerOf(request), [mutation], describeChange('create', collection, name));
      const row = find(request, name);
      return reply
        .code(201)
        .header('x-pailou-revision', revision)
        .header('etag', `"${row.revision}"`)
        .send(showRow(config.mask(row)));
    },
  );

  type Written = Pick<z.output<typeof replaceBody>, 'enabled' | 'owner'> & GivenRow;

  /** Writes the spec that `change` makes of the stored one, whose secrets are masked. */
  const write = async (
    request: FastifyRequest<{ Params: z.output<typeof named> }>,
    reply: FastifyReply,
    body: Written,
    change: (current: ConfigRow) => Pick<Mutation, 'spec' | 'edit' | 'expectedRevision'>,
  ) => {
    const principal = principalOf(request);
    const { name } = request.params;
    const current = find(request, name);
    requireOn(request, 'manage', current);
    requireFixed(body, showRow(config.mask(current)));
    requireOwner(principal, body.owner);
    const mutation = {
      kind,
      tenant: principal.tenant,
      name,
      operation: 'replace' as const,
      expectedRevision: seenRevision(request, body),
      ...change(current),
      ...(body.enabled === undefined ? {} : { enabled: body.enabled }),
      ...(body.owner === undefined ? {} : { owner: body.owner }),
    };
    const { revision } = await config.change(writerOf(request), [mutation], describeChange('update', collection, name));
    const row = find(request, name);
    return reply
      .header('x-pailou-revision', revision)
      .header('etag', `"${row.revision}"`)
      .send(showRow(config.mask(row)));
  };

  app.put<{ Params: z.output<typeof named>; Body: z.output<typeof replaceBody> }>(
    `/api/${path}/:name`,
    {
      config: { ...manageOne, ...writes },
      schema: {
        tags,
        summary: `Replace a ${title}; "***" keeps a stored secret`,
        description: replacing,
        params: named,
        body: replaceBody,
        response: { 200: rowView },
      },
    },
    (request, reply) =>
      write(request, reply, request.body, (current) => {
        const { spec } = request.body;
        requireNames(request, current.name, spec, current.spec);
        return { spec };
      }),
  );

  app.patch<{ Params: z.output<typeof named>; Body: z.output<typeof patchBody> }>(
    `/api/${path}/:name`,
    {
      config: { ...manageOne, ...writes },
      schema: {
        tags,
        summary: `Change some fields of a ${title}`,
        description: patching,
        params: named,
        body: patchBody,
        response: { 200: rowView },
      },
    },
    (request, reply) =>
      retryPatch(request, request.body, () =>
        write(request, reply, request.body, (current) => {
          const patch = request.body.spec;
          if (patch === undefined) return {};
          const spec = parseSpec(kind, patchedSpec(config.mask(current).spec, patch)) as z.output<typeof inputSpec>;
          requireNames(request, current.name, spec, current.spec);
          return {
            edit: (stored) => patchedSpec(stored, patch),
            expectedRevision: seenRevision(request, request.body) ?? current.revision,
          };
        }),
      ),
  );

  app.delete<{ Params: z.output<typeof named> }>(
    `/api/${path}/:name`,
    { config: { ...manageOne, ...writes }, schema: { tags, summary: `Delete a ${title}`, description: deletion, params: named } },
    async (request, reply) => {
      const { name } = request.params;
      const current = find(request, name);
      requireOn(request, 'manage', current);
      const mutation = { kind, tenant: current.tenant, name, operation: 'delete' as const, expectedRevision: expectedRevision(request) };
      const versions = config
        .rows(current.tenant, kind)
        .filter((row) => kind === 'skill' && isVersion(row.name) && skillOf(row.name) === name)
        .map((row) => ({ kind, tenant: row.tenant, name: row.name, operation: 'delete' as const }));
      const { revision, deletedGrants } = await config.change(
        writerOf(request),
        [...versions, mutation],
        describeChange('delete', collection, name),
      );
      return reply.code(204).header('x-pailou-revision', revision).headers(grantHeaders(deletedGrants)).send();
    },
  );
}
