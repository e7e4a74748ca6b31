/** POST /api/access/token-test and GET /api/access/issuers: what the gateway reads in a token, and by which mapping. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { IssuerSettings } from '../auth/issuer.ts';
import type { AuditLog } from '../storage/audit.ts';
import { toGatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';

const body = z.strictObject({
  token: z.string().min(1).max(64_000).describe('An access token, without `Bearer`. It is verified as in a call and is not stored.'),
});
const mapped = z.object({
  issuer: z.string(),
  subject: z.string(),
  username: z.string(),
  tenant: z.string(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  expires_at: z.string(),
});
const result = z.object({
  ok: z.boolean(),
  steps: z
    .array(z.object({ step: z.string(), found: z.record(z.string(), z.unknown()) }))
    .describe('The steps that were passed, in order.'),
  principal: mapped.nullable().describe('Who a call with the token would be, and what that person may do.'),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
const names = z.record(z.string(), z.string());
const issuerView = z.object({
  issuer: z.string(),
  tokens: z.string().describe('jwt or opaque.'),
  paths: z.record(z.string(), z.array(z.string())).describe('The claims that each field is read from, first match first.'),
  tenant: z.string().nullable().describe('The tenant of all tokens; null: as they say.'),
  default_tenant: z.string(),
  role_prefix: z.string(),
  role_map: names,
  permission_prefix: z.string(),
  permission_map: names,
  permission_source: z.string(),
  max_roles: z.array(z.string()).nullable(),
});

export interface TokenTestServices {
  readonly issuers: readonly IssuerSettings[];
  /** As `Authenticator.explain`. */
  readonly explain: Authenticator['explain'];
  readonly audit: AuditLog;
}

export function addTokenTest(app: FastifyInstance, services: TokenTestServices): void {
  const tags = ['access'];

  app.post<{ Body: z.output<typeof body> }>(
    '/api/access/token-test',
    {
      config: { access: 'administrator', writes: 'none' },
      schema: {
        tags,
        summary: 'Verify a token as in a call, step by step',
        description: 'Recorded in the audit without the token. A token of another tenant is verified, but nothing of its person is shown.',
        body,
        response: { 200: result },
      },
    },
    async (request) => {
      const asker = principalOf(request);
      const steps: z.output<typeof result>['steps'] = [];
      try {
        const found = await services.explain(request.body.token.trim(), (step, claims) => void steps.push({ step, found: { ...claims } }));
        services.audit.append({
          tenant: asker.tenant,
          actor: personRef(asker),
          act: 'asked as',
          target: found.tenant === asker.tenant ? `person/${personRef(found)}` : 'token',
          requestId: request.id,
          detail: 'test of a token',
        });
        if (found.tenant !== asker.tenant) {
          const error = { code: 'not_found', message: 'The token is valid, but of another tenant.' };
          return { ok: false, steps: [], principal: null, error };
        }
        const { issuer, subject, username, tenant, roles, permissions, expiresAt } = found;
        const principal = {
          issuer,
          subject,
          username,
          tenant,
          roles: [...roles],
          permissions: [...permissions].toSorted(),
          expires_at: new Date(expiresAt).toISOString(),
        };
        return { ok: true, steps, principal, error: null };
      } catch (thrown) {
        const { code, message } = toGatewayError(thrown);
        if (code === 'internal_error') throw thrown;
        return { ok: false, steps, principal: null, error: { code, message } };
      }
    },
  );

  app.get(
    '/api/access/issuers',
    {
      config: { access: 'administrator' },
      schema: {
        tags,
        summary: 'The OAuth2 services, and how the claims of their tokens are read',
        response: { 200: z.object({ data: z.array(issuerView) }) },
      },
    },
    async () => ({
      data: services.issuers.map(({ issuer, tokens, mapping }) => ({
        issuer,
        tokens,
        paths: Object.fromEntries(Object.entries(mapping.paths).map(([field, paths]) => [field, [...paths]])),
        tenant: mapping.tenant,
        default_tenant: mapping.defaultTenant,
        role_prefix: mapping.rolePrefix,
        role_map: { ...mapping.roleMap },
        permission_prefix: mapping.permissionPrefix,
        permission_map: { ...mapping.permissionMap },
        permission_source: mapping.permissionSource,
        max_roles: mapping.maxRoles === null ? null : [...mapping.maxRoles],
      })),
    }),
  );
}
