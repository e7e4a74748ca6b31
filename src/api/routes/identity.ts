/** GET /api/me and /api/explain: the caller's identity, and why an act is allowed or denied. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { decide, isAdministrator } from '../../auth/decide.ts';
import type { AuditLog } from '../../storage/audit.ts';
import { type Person, principalOfPerson } from '../../storage/people.ts';
import type { PeopleReader } from '../../storage/people-reader.ts';
import { type Action, actions, type Capability, type Principal } from '../../types/access.ts';
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

/** Another person as last seen. */
async function another(asker: Principal, as: string, { people, names }: IdentityServices): Promise<Person> {
  if (!isAdministrator(asker))
    throw new GatewayError('permission_denied', 'Only administrators may explain the rights of another person.', { param: 'as' });
  const [person] = await people.named(asker.tenant, [splitPerson(names.resolve(as, 'as'))]);
  if (person === undefined)
    throw new GatewayError('not_found', `No token with the subject "${as}" has been seen yet. GET /api/people lists the known subjects.`, {
      param: 'as',
    });
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
        expires_at: new Date(principal.expiresAt).toISOString(),
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
      const person = as === undefined ? null : await another(asker, as, services);
      const principal = person === null ? asker : principalOfPerson(person);
      const decision = decide(principal, action, findCapability(view, capability), view.grants, Date.now());
      if (person !== null) {
        audit.append({
          tenant: asker.tenant,
          actor: personRef(asker),
          act: 'asked as',
          target: `person/${personRef(person)}`,
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
        subject: principal.subject,
        roles: principal.roles,
        permissions: [...principal.permissions].toSorted(),
        ...(person === null
          ? {}
          : { as: { username: person.username, issuer: person.issuer, seen_at: new Date(person.seenAt).toISOString() } }),
      };
    },
  );
}
