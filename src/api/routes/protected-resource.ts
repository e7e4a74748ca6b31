/** /.well-known/oauth-protected-resource: the token issuers of this gateway. RFC 9728, which MCP clients follow. */
import type { FastifyInstance } from 'fastify';
import { permissionCodes } from '../../types/access.ts';

export const wellKnown = '/.well-known/oauth-protected-resource';

/** The metadata address for the resource at `path`, which follows the well-known part (RFC 9728 3.1). */
export function metadataOf(publicUrl: string, path: string): string {
  return `${publicUrl}${wellKnown}${path === '/' ? '' : path}`;
}

/** `services`: the accepted token issuers. `ownSignIn`: Pailou signs people in for MCP clients itself, which clients try first. */
export function addProtectedResource(
  app: FastifyInstance,
  publicUrl: string,
  { services, ownSignIn }: { readonly services: readonly string[]; readonly ownSignIn: boolean },
): void {
  const about = (path: string) => ({
    resource: `${publicUrl}${path}`,
    authorization_servers: ownSignIn && path !== '' ? [publicUrl, ...services] : services,
    bearer_methods_supported: ['header'],
    scopes_supported: permissionCodes,
    resource_name: 'Pailou',
    resource_documentation: `${publicUrl}/docs`,
  });
  const options = {
    config: { access: 'public' as const },
    schema: { tags: ['access'], summary: 'The OAuth2 services whose tokens this gateway accepts (RFC 9728)' },
  };
  app.get(wellKnown, options, async () => about(''));
  app.get(`${wellKnown}/mcp`, options, async () => about('/mcp'));
  // Answers for every name alike: callers without a token must not learn which servers exist.
  app.get<{ Params: { server: string } }>(`${wellKnown}/mcp/:server`, options, async (request) =>
    about(`/mcp/${encodeURIComponent(request.params.server)}`),
  );
}
