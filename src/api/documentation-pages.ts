/** The pages of the documentation, generated from the schemas that validate requests. They load nothing from other hosts. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Kinds } from '../config/kinds/kinds.ts';
import type { JsonObject } from '../types/json.ts';
import { completeDocument } from './openapi/complete-document.ts';
import { schemaCompilers } from './schema-compilers.ts';

/**
 * Without files of other hosts, and without the upgrade to https, which leaves a blank page where the gateway has plain http. Styles may be
 * inline, as in the console: the page's own scripts add some, whose hashes no list has.
 */
function ownFilesOnly(policy: string): string {
  return policy
    .replace(/style-src [^;]*/, "style-src 'self' 'unsafe-inline'")
    .replace(/\s*upgrade-insecure-requests;?/, '')
    .replace(/ https:(?=[ ;])/g, '')
    .replace(' validator.swagger.io', '');
}

/** True for a method and path of the description whose route needs no token. */
function publicRoutes(routes: readonly RouteOptions[]): (method: string, path: string) => boolean {
  const open = new Set(
    routes
      .filter(({ config }) => config?.access === 'public')
      .flatMap(({ method, url }) => [method].flat().map((each) => `${each.toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')}`)),
  );
  return (method, path) => open.has(`${method} ${path}`);
}

/** A server without a port that has the pages and describes `routes`. */
export async function buildDocumentation(
  routes: readonly RouteOptions[],
  { version, pathPrefix, kinds }: { readonly version: string; readonly pathPrefix: string; readonly kinds: Kinds },
): Promise<FastifyInstance> {
  const app = Fastify({
    exposeHeadRoutes: false,
    schemaController: schemaCompilers(
      () => () => true,
      () => JSON.stringify,
    ),
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Pailou',
        version,
        description:
          "Every model, skill and MCP tool of the team behind one OpenAI-compatible endpoint. Send your OAuth2 service's token as a bearer token.",
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      completeDocument(('openapiObject' in document ? document.openapiObject : document.swaggerObject) as unknown as JsonObject, {
        kinds,
        isPublic: publicRoutes(routes),
        pathPrefix,
      }) as never,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { validatorUrl: null, deepLinking: true },
    staticCSP: true,
    transformStaticCSP: ownFilesOnly,
    ...(pathPrefix === '' ? {} : { indexPrefix: pathPrefix }),
  });
  await app.register(async (scope) => {
    for (const { method, url, schema } of routes) {
      const methods = [method].flat().filter((each) => each !== 'HEAD');
      // A hidden route has no place in the description.
      if (methods.length === 0 || schema === undefined || ('hide' in schema && schema.hide === true)) continue;
      scope.route({ method: methods, url, schema, handler: () => null });
    }
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.ready();
  return app;
}
