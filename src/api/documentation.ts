/** /openapi.json and /docs, generated from the schemas that validate requests. Loads nothing from other hosts. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';

/** The audience of the documentation. */
export type DocumentationAudience = 'open' | 'signed-in';

/** Without files of other hosts, and without the upgrade to https, which leaves a blank page where the gateway has plain http. */
function ownFilesOnly(policy: string): string {
  return policy
    .replace(/\s*upgrade-insecure-requests;?/, '')
    .replace(/ https:(?=[ ;])/g, '')
    .replace(' validator.swagger.io', '');
}

/** Register it before the routes, so that it sees all of them. */
export async function addDocumentation(
  app: FastifyInstance,
  { version, docs: audience }: { readonly version: string; readonly docs: DocumentationAudience },
): Promise<void> {
  const { pathPrefix } = app;
  const access = audience === 'open' ? 'public' : 'signed-in';
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Pailou',
        version,
        description:
          "Every model, skill and MCP tool of the team behind one OpenAI-compatible endpoint. Send your OAuth2 service's token as a bearer token.",
      },
      ...(pathPrefix === '' ? {} : { servers: [{ url: pathPrefix }] }),
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access };
    });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { validatorUrl: null, deepLinking: true },
      staticCSP: true,
      transformStaticCSP: ownFilesOnly,
      ...(pathPrefix === '' ? {} : { indexPrefix: pathPrefix }),
    });
  });
  app.get('/openapi.json', { config: { access }, schema: { hide: true } }, async () => app.swagger());
}
