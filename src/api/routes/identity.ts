/** GET /api/me and /api/explain: who am I here, and why may I or may I not. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { decide } from '../../auth/decide.ts';
import { actions, type Capability } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import type { TenantView } from '../../types/snapshot.ts';
import { toolCapability } from '../calls/caller.ts';
import { principalOf, snapshotOf } from '../request-context.ts';

const explainQuery = z.object({
  capability: z
    .string()
    .regex(/^(model|skill|mcp)\/.+$/, 'must be model/<name>, skill/<name>, mcp/<server> or mcp/<server>/<tool>')
    .max(300),
  action: z.enum(actions).default('use'),
});

/** The capability that a reference names, or null if this tenant has none such. */
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

export function addIdentity(app: FastifyInstance): void {
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
      const principal = principalOf(request);
      const view = snapshotOf(request).tenant(principal.tenant);
      const { capability, action } = request.query;
      const decision = decide(principal, action, findCapability(view, capability), view.grants, Date.now());
      return {
        capability,
        action,
        allowed: decision.allowed,
        ...(decision.allowed ? {} : { status: decision.status }),
        rule: decision.rule,
        reason: decision.reason,
        subject: principal.subject,
        roles: principal.roles,
        permissions: [...principal.permissions].toSorted(),
      };
    },
  );
}
