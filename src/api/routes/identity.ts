/** GET /api/me and /api/explain: the caller's identity, and why an act is allowed or denied. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { decide, isAdministrator } from '../../auth/decide.ts';
import type { AuditLog } from '../../storage/audit.ts';
import { type Person, principalOfPerson } from '../../storage/people.ts';
import type { PeopleReader } from '../../storage/people-reader.ts';
import { codesOfRole } from '../../auth/role-cap.ts';
import { type Action, actions, type Capability, permissionCodes, type Principal } from '../../types/access.ts';
import type { PersonNames } from '../../config/person-names.ts';
import { GatewayError } from '../../types/errors.ts';
import { longestPerson, personRef, splitPerson } from '../../types/person.ts';
import type { TenantView } from '../../types/snapshot.ts';
import { toolCapability } from '../../application/caller.ts';
import { principalOf, snapshotOf } from '../request-context.ts';
import { storedText } from '../bodies/stored-text.ts';

const explainQuery = z.object({
  capability: z
    .string()
    .regex(/^(model|skill|mcp)\/.+$/, 'must be model/<name>, skill/<name>, mcp/<server> or mcp/<server>/<tool>')
    .max(300),
  action: z.enum(actions).default('use'),
  as: storedText(longestPerson)
    .optional()
    .describe(
      'For administrators: another person, as in GET /api/me, with the rights of their last token. Read-only, and recorded in the audit.',
    ),
  roles: storedText(1_000)
    .transform((text) => text.split(','))
    .optional()
    .describe(
      'For administrators: asks for a person with these roles, whether seen yet or not; several by commas. With as: grants to that person count too.',
    ),
  permissions: storedText(1_000)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(permissionCodes)))
    .optional()
    .describe('With roles: the codes of their token, by commas. Left out: the codes that the four roles have by default.'),
  tenant: storedText(128).optional().describe('With roles: the tenant of their token. Left out: yours.'),
});

export interface IdentityServices {
  readonly names: PersonNames;
  readonly people: PeopleReader;
  readonly audit: AuditLog;
}

/** The capability that a reference names; null when the tenant has none of that name. */
export function findCapability(view: TenantView, reference: string): Capability | null {
  const slash = reference.indexOf('/');
  const kind = reference.slice(0, slash);
  const name = reference.slice(slash + 1);
  if (kind === 'model') return view.models.get(name)?.capability ?? null;
  if (kind === 'skill') return view.skills.get(name)?.capability ?? null;
  if (kind !== 'mcp')
    throw new GatewayError('invalid_request', 'capability: must begin with model/, skill/ or mcp/.', { param: 'capability' });
  const [serverName, ...tool] = name.split('/');
  const server = view.mcpServers.get(serverName ?? '');
  if (server === undefined) return null;
  return tool.length === 0 ? server.capability : toolCapability(server, tool.join('/'));
}

/** A person with the rights that the query names; null when it names none. */
function imagined(
  asker: Principal,
  { as, roles, permissions, tenant }: z.output<typeof explainQuery>,
  names: PersonNames,
): Principal | null {
  if (roles === undefined) {
    const [param] = Object.entries({ permissions, tenant }).find(([, value]) => value !== undefined) ?? [];
    if (param !== undefined) throw new GatewayError('invalid_request', `${param}: has no meaning without roles; name them too.`, { param });
    return null;
  }
  if (!isAdministrator(asker))
    throw new GatewayError('permission_denied', 'Only administrators may explain the rights of other people.', { param: 'roles' });
  const { issuer, subject } = as === undefined ? { issuer: '', subject: '' } : splitPerson(names.resolve(as, 'as'));
  return {
    issuer,
    subject,
    username: subject,
    tenant: tenant ?? asker.tenant,
    roles,
    permissions: new Set(permissions ?? roles.flatMap((role) => codesOfRole(role))),
    client: null,
    credential: 'token',
    expiresAt: Infinity,
  };
}

/** Another person as last seen. */
async function another(asker: Principal, as: string, { people, names }: IdentityServices): Promise<Person> {
  if (!isAdministrator(asker))
    throw new GatewayError('permission_denied', 'Only administrators may explain the rights of another person.', { param: 'as' });
  const [person] = await people.named(asker.tenant, [splitPerson(names.resolve(as, 'as'))]);
  if (person === undefined)
    throw new GatewayError(
      'not_found',
      `No token with the subject "${as}" has been seen yet. GET /api/people lists the known subjects; add roles=… to ask about a person with these roles.`,
      {
        param: 'as',
      },
    );
  return person;
}

/** Whose rights a run of the skill uses, and why. Details are for those who may manage it; nothing about a skill that may not be viewed. */
function runsAsOf(principal: Principal, view: TenantView, reference: string): { readonly runs_as?: object } {
  const skill = reference.startsWith('skill/') ? view.skills.get(reference.slice('skill/'.length)) : undefined;
  const may = (action: Action): boolean =>
    skill !== undefined && decide(principal, action, skill.capability, view.grants, Date.now()).allowed;
  if (skill === undefined || !may('view')) return {};
  const { runsAs, spec } = skill;
  if (runsAs !== undefined) {
    const reason = 'It runs with its own list: its callers need no right to what it names, as far as its publisher may use that.';
    const { publisher, allowedBy, allowedAt, within } = runsAs;
    return {
      runs_as: {
        mode: 'skill',
        on_behalf_of: publisher,
        allowed_by: allowedBy,
        allowed_at: allowedAt,
        ...(may('manage') ? { may_use: within } : {}),
        reason,
      },
    };
  }
  const reason =
    spec.runs_as === 'skill'
      ? 'Its row says runs_as: skill, but no administrator has allowed the version that is live, with the things that it names now.'
      : 'Its row says so: its callers need a right to all that it names.';
  return { runs_as: { mode: 'caller', reason } };
}

export function addIdentity(app: FastifyInstance, services: IdentityServices): void {
  const { audit } = services;
  app.get(
    '/api/me',
    { config: { access: 'signed-in' }, schema: { tags: ['access'], summary: 'Who you are here and what you may do' } },
    async (request) => {
      const principal = principalOf(request);
      return {
        subject: principal.subject,
        username: principal.username,
        tenant: principal.tenant,
        roles: principal.roles,
        permissions: [...principal.permissions].toSorted(),
        client: principal.client,
        credential: principal.credential,
        issuer: principal.issuer,
        ...(request.viewer === null
          ? { expires_at: new Date(principal.expiresAt).toISOString() }
          : { expires_at: new Date(request.viewer.expiresAt).toISOString(), viewed_by: services.names.show(personRef(request.viewer)) }),
      };
    },
  );

  app.get<{ Querystring: z.output<typeof explainQuery> }>(
    '/api/explain',
    {
      config: { access: 'signed-in' },
      schema: { tags: ['access'], summary: 'Why you may or may not do something', querystring: explainQuery },
    },
    async (request) => {
      const asker = principalOf(request);
      const view = snapshotOf(request).tenant(asker.tenant);
      const { capability, action, as } = request.query;
      const given = imagined(asker, request.query, services.names);
      const person = as === undefined || given !== null ? null : await another(asker, as, services);
      const principal = given ?? (person === null ? asker : principalOfPerson(person));
      const decision = decide(principal, action, findCapability(view, capability), view.grants, Date.now());
      if (person !== null || (given !== null && as !== undefined)) {
        audit.append({
          tenant: asker.tenant,
          actor: personRef(asker),
          act: 'asked as',
          target: `person/${personRef(principal)}`,
          requestId: request.id,
          detail: `${action} ${capability}: ${decision.allowed ? 'allowed' : 'not allowed'} (${decision.rule})`,
        });
      }
      return {
        capability,
        action,
        allowed: decision.allowed,
        ...(decision.allowed ? {} : { status: decision.status }),
        rule: decision.rule,
        reason: decision.reason,
        ...runsAsOf(asker, view, capability),
        subject: principal.subject === '' ? null : principal.subject,
        tenant: principal.tenant,
        roles: principal.roles,
        permissions: [...principal.permissions].toSorted(),
        ...(person === null
          ? {}
          : { as: { username: person.username, issuer: person.issuer, seen_at: new Date(person.seenAt).toISOString() } }),
      };
    },
  );
}
