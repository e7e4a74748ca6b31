/** /api/keys: API keys for machines and IDEs, each bound to its owner, a person or a service account. The secret is shown once. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isAdministrator } from '../auth/decide.ts';
import { decideAccount } from '../auth/decide-team.ts';
import { makeKey } from '../auth/api-key-format.ts';
import { principalOf } from '../api/request-context.ts';
import type { PersonNames } from '../config/person-names.ts';
import type { ConfigService } from '../config/service.ts';
import { teamOfKey } from '../config/team-accounts.ts';
import type { ApiKeyUsage } from '../storage/api-key-usage.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import { GatewayError } from '../types/errors.ts';
import { lineField } from '../types/printable-text.ts';
import { longestPerson, personRef } from '../types/person.ts';
import { type ConfigRow, keySpec, type KeySpec } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import { givenPermissions, keyOwner } from './key-owners.ts';
import { pageOf, pageQuery } from './paging.ts';
import { writerOf } from './writer.ts';

const dayMs = 86_400_000;
const named = z.object({ id: z.string().min(1).max(64) });
const createBody = z.strictObject({
  title: lineField(128).default('').describe('The purpose of the key.'),
  permissions: keySpec.shape.permissions
    .optional()
    .describe(
      'The permissions of the key, which never exceed your current ones, nor those of its owner. Default: all. A key cannot manage anything.',
    ),
  capabilities: keySpec.shape.capabilities.default(null).describe('The capabilities that the key may use; null for all of yours.'),
  addresses: keySpec.shape.addresses.default(null).describe('The networks that may use the key, e.g. 10.0.0.0/8.'),
  expires_in_days: z.int().min(1).max(3650).default(90),
  for: storedText(longestPerson)
    .optional()
    .describe(
      'Another person, as in GET /api/people. The key has their current rights; they see it and may revoke it. For administrators.',
    ),
  service: storedText(200)
    .optional()
    .describe('A service account, by its name in GET /api/service-accounts. For administrators, and for administrators of its team.'),
});
const patchBody = z.strictObject({
  title: lineField(128).optional(),
  permissions: keySpec.shape.permissions.optional(),
  capabilities: keySpec.shape.capabilities.optional(),
  addresses: keySpec.shape.addresses.optional(),
  enabled: z.boolean().optional().describe('False: the key is refused until it is enabled again. Administrators may change this alone.'),
});
const rotateBody = z.strictObject({
  overlap_hours: z.number().min(0).max(720).default(24).describe('How long the old key still works.'),
});
const keyView = z.object({
  id: z.string(),
  title: z.string(),
  owner: z.string(),
  service: z.string().nullable().describe('The service account that owns the key; null for a key of a person.'),
  made_by: z.string().describe('The person who made the key.'),
  hint: z.string().describe('The first characters of the key.'),
  permissions: z.array(z.string()),
  capabilities: z.array(z.string()).nullable(),
  addresses: z.array(z.string()).nullable(),
  enabled: z.boolean(),
  created_at: z.string(),
  expires_at: z.string(),
  last_used_at: z.string().nullable(),
  replaced_by: z.string().nullable(),
  surface: keySpec.shape.surface
    .unwrap()
    .nullable()
    .describe('mcp: the token of an MCP client, which opens /mcp alone. null: a key for all addresses.'),
});
const newKeyView = keyView.extend({ key: z.string().describe('The key itself. It is never shown again.') });
const tags = ['keys'];
const signedIn = { access: 'signed-in' as const };
const write = { ...signedIn, writes: ['key'] as const };

function viewOf(row: ConfigRow, names: PersonNames, usedAt: number | undefined): z.output<typeof keyView> {
  const spec = row.spec as KeySpec;
  return {
    id: row.name,
    title: spec.title,
    owner: names.show(personRef(spec)),
    service: spec.issuer === serviceAccountIssuer ? spec.subject : null,
    made_by: names.show(row.createdBy),
    hint: `pailou_${row.name}_…`,
    permissions: [...spec.permissions],
    capabilities: spec.capabilities,
    addresses: spec.addresses,
    enabled: row.enabled,
    created_at: row.createdAt,
    expires_at: spec.expires_at,
    last_used_at: usedAt === undefined ? null : new Date(usedAt).toISOString(),
    replaced_by: spec.replaced_by ?? null,
    surface: spec.surface ?? null,
  };
}

/** The person who disabled a key decides when it works again, and administrators do. All its other changes are refused meanwhile, so that the last writer is that person. */
function requireNotDisabledByOther(request: FastifyRequest, row: ConfigRow, names: PersonNames): void {
  const principal = principalOf(request);
  if (row.enabled || row.updatedBy === personRef(principal) || isAdministrator(principal)) return;
  throw new GatewayError(
    'permission_denied',
    `This key was disabled by ${names.show(row.updatedBy)}. Ask them or an administrator to enable it; you can revoke it.`,
    { param: 'enabled' },
  );
}

export function addKeys(app: FastifyInstance, config: ConfigService, uses: ApiKeyUsage, people: PeopleReader): void {
  /** The caller's own keys; for administrators those of the tenant, for administrators of a team those of its service accounts. */
  const isMine = (request: FastifyRequest, row: ConfigRow): boolean => {
    const principal = principalOf(request);
    const { subject, issuer } = row.spec as KeySpec;
    if (isAdministrator(principal) || (subject === principal.subject && issuer === principal.issuer)) return true;
    if (issuer !== serviceAccountIssuer) return false;
    return decideAccount(
      principal,
      'view',
      teamOfKey(row, (kind, name) => config.row(row.tenant, kind, name)),
    ).allowed;
  };
  /** The keys whose secret and scope the caller decides: their own, and for administrators those of service accounts. */
  const decidesOn = (request: FastifyRequest, { subject, issuer }: KeySpec): boolean => {
    const principal = principalOf(request);
    if (issuer === serviceAccountIssuer) return isAdministrator(principal);
    return subject === principal.subject && issuer === principal.issuer;
  };
  /** The new secret of a service account's key never carries what its maker lacks. The key of a person has the person's current rights. */
  const requireOwnPermissions = (request: FastifyRequest, { issuer, permissions }: KeySpec): void => {
    const beyond = issuer === serviceAccountIssuer ? permissions.find((code) => !principalOf(request).permissions.has(code)) : undefined;
    if (beyond === undefined) return;
    throw new GatewayError(
      'permission_denied',
      `permissions: you do not have ${beyond}, which this key carries. Make another key for the service account with what you have, and revoke this one.`,
      { param: 'permissions' },
    );
  };
  const find = (request: FastifyRequest, id: string): ConfigRow => {
    const row = config.row(principalOf(request).tenant, 'key', id);
    if (row === undefined || !isMine(request, row)) throw new GatewayError('not_found', `You have no key "${id}".`, { param: 'id' });
    return row;
  };
  const create = (request: FastifyRequest, id: string, spec: KeySpec) => ({
    kind: 'key' as const,
    tenant: principalOf(request).tenant,
    name: id,
    operation: 'create' as const,
    spec,
    enabled: true,
    owner: personRef(spec),
  });
  const shown = async (row: ConfigRow): Promise<z.output<typeof keyView>> =>
    viewOf(row, config.people, (await uses.last([row.name])).get(row.name));

  app.get<{ Querystring: z.output<typeof pageQuery> }>(
    '/api/keys',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'List your keys; for administrators all keys of the tenant, for those of a team the keys of its service accounts',
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(keyView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const rows = config.rows(principalOf(request).tenant, 'key').filter((row) => isMine(request, row));
      const sorted = rows.toSorted((one, other) => (one.name < other.name ? -1 : 1));
      const page = pageOf(sorted, (row) => row.name, request.query);
      const used = await uses.last(page.data.map((row) => row.name));
      return { data: page.data.map((row) => viewOf(row, config.people, used.get(row.name))), next: page.next };
    },
  );

  app.get<{ Params: z.output<typeof named> }>(
    '/api/keys/:id',
    { config: signedIn, schema: { tags, summary: 'Read one key', params: named, response: { 200: keyView } } },
    async (request) => shown(find(request, request.params.id)),
  );

  app.post<{ Body: z.output<typeof createBody> }>(
    '/api/keys',
    {
      config: write,
      schema: { tags, summary: 'Create a key; it is shown once', body: createBody, response: { 201: newKeyView } },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { title, permissions, capabilities, addresses, expires_in_days: days } = request.body;
      const owner = await keyOwner(principal, request.body, { config, people });
      const isForOthers = owner.issuer !== principal.issuer || owner.subject !== principal.subject;
      const given = givenPermissions(principal.permissions, permissions, isForOthers);
      const { id, text, hash } = makeKey();
      const spec: KeySpec = {
        title,
        ...owner,
        hash,
        permissions: given,
        capabilities,
        addresses,
        expires_at: new Date(Date.now() + days * dayMs).toISOString(),
        replaced_by: null,
      };
      const whom = isForOthers ? ` for ${config.people.show(personRef(owner))}` : '';
      await config.change(writerOf(request), [create(request, id, spec)], `make key ${id}${whom}`);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...(await shown(find(request, id))), key: text });
    },
  );

  app.post<{ Params: z.output<typeof named>; Body: z.output<typeof rotateBody> }>(
    '/api/keys/:id/rotate',
    {
      config: write,
      schema: {
        tags,
        summary: 'Replace a key by a new one; the old key works for a while longer',
        params: named,
        body: rotateBody,
        response: { 201: newKeyView },
      },
    },
    async (request, reply) => {
      const row = find(request, request.params.id);
      const old = row.spec as KeySpec;
      // The secret of a person's key is the person's: an administrator makes another key instead.
      if (!decidesOn(request, old))
        throw new GatewayError('permission_denied', 'Only its owner can rotate a key; for a service account, an administrator.');
      requireNotDisabledByOther(request, row, config.people);
      requireOwnPermissions(request, old);
      if (old.replaced_by !== null) throw new GatewayError('already_exists', `This key was replaced by ${old.replaced_by} before.`);
      const { id, text, hash } = makeKey();
      const ends = Math.min(Date.parse(old.expires_at), Date.now() + request.body.overlap_hours * 3_600_000);
      const life = Date.parse(old.expires_at) - Date.parse(row.createdAt);
      const mutations = [
        create(request, id, { ...old, hash, expires_at: new Date(Date.now() + life).toISOString() }),
        {
          kind: 'key' as const,
          tenant: row.tenant,
          name: row.name,
          operation: 'replace' as const,
          spec: { ...old, expires_at: new Date(ends).toISOString(), replaced_by: id },
          expectedRevision: row.revision,
        },
      ];
      await config.change(writerOf(request), mutations, `rotate key ${row.name}`);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...(await shown(find(request, id))), key: text });
    },
  );

  app.patch<{ Params: z.output<typeof named>; Body: z.output<typeof patchBody> }>(
    '/api/keys/:id',
    {
      config: write,
      schema: {
        tags,
        summary: 'Change some fields of a key',
        description: 'A JSON Merge Patch (RFC 7386). capabilities and addresses: null for all.',
        params: named,
        body: patchBody,
        response: { 200: keyView },
      },
    },
    async (request, reply) => {
      const row = find(request, request.params.id);
      const { enabled, ...fields } = request.body;
      const { permissions: own } = principalOf(request);
      const old = row.spec as KeySpec;
      const isOwn = decidesOn(request, old);
      const changes = Object.entries(fields).filter(([, value]) => value !== undefined);
      // The holder of a key acts for its owner.
      if (!isOwn && (changes.length > 0 || !isAdministrator(principalOf(request))))
        throw new GatewayError('permission_denied', 'Only its owner can change a key; an administrator may set enabled.', {
          param: changes[0]?.[0],
        });
      requireNotDisabledByOther(request, row, config.people);
      const refused = fields.permissions?.find((code) => !own.has(code) && !old.permissions.includes(code));
      if (refused !== undefined)
        throw new GatewayError('permission_denied', `permissions: you do not have ${refused}.`, { param: 'permissions' });
      const mutation = {
        kind: 'key' as const,
        tenant: row.tenant,
        name: row.name,
        operation: 'replace' as const,
        expectedRevision: row.revision,
        ...(changes.length === 0 ? {} : { spec: { ...old, ...Object.fromEntries(changes) } }),
        ...(enabled === undefined ? {} : { enabled }),
      };
      const { revision } = await config.change(writerOf(request), [mutation], `update key ${row.name}`);
      return reply.header('x-pailou-revision', revision).send(await shown(find(request, row.name)));
    },
  );

  app.delete<{ Params: z.output<typeof named> }>(
    '/api/keys/:id',
    { config: write, schema: { tags, summary: 'Revoke a key immediately and permanently', params: named } },
    async (request, reply) => {
      const row = find(request, request.params.id);
      const mutation = { kind: 'key' as const, tenant: row.tenant, name: row.name, operation: 'delete' as const };
      const { revision } = await config.change(writerOf(request), [mutation], `revoke key ${row.name}`);
      return reply.code(204).header('x-pailou-revision', revision).send();
    },
  );
}
