/** /api/grants: grants to view or use capabilities. Managers of a row grant it; administrators also grant patterns and tags. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { decide, isAdministrator } from '../auth/decide.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { readGrantReference } from '../config/grant-reference.ts';
import { findTarget, requireTarget } from '../config/grant-targets.ts';
import { capabilityOfRow, rightsOf } from '../config/row-capability.ts';
import { parseSpec } from '../config/parse-spec.ts';
import { showRow } from '../config/shown-row.ts';
import type { ConfigService } from '../config/service.ts';
import { capabilityKinds } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import { type ConfigRow, type GrantSpec, grantSpec, resourceNames } from '../types/resources.ts';
import { expectedRevision } from './actor.ts';
import { type GivenRow, givenRow, patchedSpec, patching, replacing, requireFixed, retryPatch, rowPatch, seenRevision } from './row-body.ts';
import { grantWarnings, type SubjectReader } from './grant-warnings.ts';
import { pageOf, pageQuery } from './paging.ts';
import { rowView } from './row-view.ts';
import { writerOf } from './writer.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const createBody = z.strictObject({
  name: resourceNames.grant.optional().describe('Generated when left out.'),
  spec: grantSpec,
  enabled: z.boolean().optional(),
});
const ownerField = z.string().nullable().optional().describe('As GET gives it: the owner of a grant is the person who gave it.');
const replaceBody = z.strictObject({ ...givenRow, spec: grantSpec, enabled: z.boolean().optional(), owner: ownerField });
const patchBody = rowPatch.extend({ owner: ownerField });
const tags = ['grants'];
const manage = { access: capabilityKinds.map((kind) => `llm:${kind}:manage` as const) };
const write = { ...manage, writes: ['grant'] as const };

/** True when the caller may give this right: administrators any, others on what they manage. `target`: the row that the grant is bound to. */
function mayGrant(config: ConfigService, request: FastifyRequest, capability: string, target?: string | null): boolean {
  const principal = principalOf(request);
  const reference = readGrantReference(capability);
  if (reference === null) return false;
  if (isAdministrator(principal)) return principal.permissions.has(`llm:${rightsOf[reference.kind]}:manage`);
  if (reference.type !== 'thing' || capability.endsWith('*')) return false;
  const found = config.row(principal.tenant, reference.kind, reference.name);
  const row = target == null || found?.id === target ? found : undefined;
  if (row === undefined) return false;
  const { grants } = snapshotOf(request).tenant(principal.tenant);
  return decide(principal, 'manage', capabilityOfRow(reference.kind, row), grants, Date.now()).allowed;
}

function requireGranting(config: ConfigService, request: FastifyRequest, capability: string): void {
  if (mayGrant(config, request, capability)) return;
  throw new GatewayError(
    'permission_denied',
    `You may not grant rights on "${capability}": only those who manage it may, and patterns or tags only administrators.`,
    {
      param: 'spec.capability',
    },
  );
}

const grantView = rowView.extend({
  warnings: z.array(z.string()).optional().describe('Possible mistakes: a user, role or client that no token has named so far.'),
});

export function addGrants(app: FastifyInstance, config: ConfigService, subjects: SubjectReader): void {
  const find = (request: FastifyRequest<{ Params: z.output<typeof named> }>): ConfigRow => {
    const row = config.row(principalOf(request).tenant, 'grant', request.params.name);
    if (row === undefined || !mayGrant(config, request, String(row.spec['capability']), row.target))
      throw new GatewayError('not_found', `There is no grant named "${request.params.name}".`, { param: 'name' });
    return row;
  };

  app.get<{ Querystring: z.output<typeof pageQuery> }>(
    '/api/grants',
    {
      config: manage,
      schema: {
        tags,
        summary: 'List the grants on what you manage',
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(rowView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const rows = config
        .rows(principalOf(request).tenant, 'grant')
        .filter((row) => mayGrant(config, request, String(row.spec['capability']), row.target));
      const page = pageOf(
        rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        (row) => row.name,
        request.query,
      );
      return { data: page.data.map((row) => showRow(config.mask(row))), next: page.next };
    },
  );

  app.get<{ Params: z.output<typeof named> }>(
    '/api/grants/:name',
    { config: manage, schema: { tags, summary: 'Read one grant', params: named, response: { 200: rowView } } },
    async (request) => showRow(config.mask(find(request))),
  );

  app.post<{ Body: z.output<typeof createBody> }>(
    '/api/grants',
    { config: write, schema: { tags, summary: 'Grant a right', body: createBody, response: { 201: grantView } } },
    async (request, reply) => {
      const principal = principalOf(request);
      const { spec, enabled } = request.body;
      const name = request.body.name ?? `grant-${randomUUID()}`;
      requireGranting(config, request, spec.capability);
      const mutation = {
        kind: 'grant' as const,
        tenant: principal.tenant,
        name,
        operation: 'create' as const,
        spec,
        enabled: enabled ?? true,
        owner: personRef(principal),
        expectedTarget: requireTarget(config.rowSet(), principal.tenant, spec.capability),
      };
      const { revision } = await config.change(
        writerOf(request),
        [mutation],
        `grant ${spec.action} on ${spec.capability} to ${spec.subject_type} ${spec.subject}`,
      );
      const row = config.row(principal.tenant, 'grant', name);
      if (row === undefined) throw new GatewayError('revision_conflict', 'The grant was deleted by another request at the same time.');
      const warnings = await grantWarnings(subjects, row, config);
      return reply
        .code(201)
        .header('x-pailou-revision', revision)
        .send({ ...showRow(config.mask(row)), ...(warnings.length === 0 ? {} : { warnings }) });
    },
  );

  const replace = async (
    request: FastifyRequest<{ Params: z.output<typeof named> }>,
    reply: FastifyReply,
    body: GivenRow & { readonly enabled?: boolean | undefined; readonly owner?: string | null | undefined },
    specOf: (current: ConfigRow) => GrantSpec,
    seen?: (current: ConfigRow) => number,
  ) => {
    const current = find(request);
    const before = showRow(config.mask(current));
    requireFixed(body, before);
    if (body.owner !== undefined && body.owner !== before.owner)
      throw new GatewayError('invalid_request', 'owner: cannot be changed; leave it out, or as GET gives it.', { param: 'owner' });
    const spec = specOf(current);
    requireGranting(config, request, spec.capability);
    const mutation = {
      kind: 'grant' as const,
      tenant: current.tenant,
      name: current.name,
      operation: 'replace' as const,
      spec,
      expectedRevision: seenRevision(request, body) ?? seen?.(current) ?? null,
      expectedTarget: findTarget(config.rowSet(), current.tenant, spec.capability)?.id ?? null,
      ...(body.enabled === undefined ? {} : { enabled: body.enabled }),
    };
    const { revision } = await config.change(writerOf(request), [mutation], `update grant ${current.name}`);
    const row = find(request);
    const warnings = await grantWarnings(subjects, row, config);
    return reply
      .header('x-pailou-revision', revision)
      .send({ ...showRow(config.mask(row)), ...(warnings.length === 0 ? {} : { warnings }) });
  };

  app.put<{ Params: z.output<typeof named>; Body: z.output<typeof replaceBody> }>(
    '/api/grants/:name',
    {
      config: write,
      schema: { tags, summary: 'Replace a grant', description: replacing, params: named, body: replaceBody, response: { 200: grantView } },
    },
    (request, reply) => replace(request, reply, request.body, () => request.body.spec),
  );

  app.patch<{ Params: z.output<typeof named>; Body: z.output<typeof patchBody> }>(
    '/api/grants/:name',
    {
      config: write,
      schema: {
        tags,
        summary: 'Change some fields of a grant',
        description: patching,
        params: named,
        body: patchBody,
        response: { 200: grantView },
      },
    },
    (request, reply) => {
      const patched = (current: ConfigRow): GrantSpec =>
        parseSpec('grant', patchedSpec(config.mask(current).spec, request.body.spec ?? {}));
      return retryPatch(request, request.body, () => replace(request, reply, request.body, patched, ({ revision }) => revision));
    },
  );

  app.delete<{ Params: z.output<typeof named> }>(
    '/api/grants/:name',
    { config: write, schema: { tags, summary: 'Revoke a grant', params: named } },
    async (request, reply) => {
      const current = find(request);
      const mutation = {
        kind: 'grant' as const,
        tenant: current.tenant,
        name: current.name,
        operation: 'delete' as const,
        expectedRevision: expectedRevision(request),
      };
      const { revision } = await config.change(writerOf(request), [mutation], `revoke grant ${current.name}`);
      return reply.code(204).header('x-pailou-revision', revision).send();
    },
  );
}
