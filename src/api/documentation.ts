/** /openapi.json and /docs. Collects the routes; the pages are built for the first reader, because most nodes are never asked for them. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { ConfigService } from '../config/service.ts';
import { nothingHere } from './error-handling.ts';

/** The audience of the documentation. */
export type DocumentationAudience = 'open' | 'signed-in';

/** Register it before the routes, so that it sees all of them. */
export function addDocumentation(
  app: FastifyInstance,
  {
    version,
    docs: audience,
    config,
  }: { readonly version: string; readonly docs: DocumentationAudience; readonly config: Pick<ConfigService, 'kinds'> },
): void {
  const { pathPrefix } = app;
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  let built: Promise<FastifyInstance> | null = null;
  app.addHook('onClose', async () => {
    await (await built)?.close();
  });
  const pages = async (): Promise<FastifyInstance> => {
    const { buildDocumentation } = await import('./documentation-pages.ts');
    return buildDocumentation(routes, { version, pathPrefix, kinds: config.kinds() });
  };
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    // A failure is not kept: the next reader tries again.
    built ??= pages().catch((thrown: unknown) => {
      built = null;
      throw thrown;
    });
    const page = await (await built).inject({ method: 'GET', url: request.url });
    if (page.statusCode === 404) throw nothingHere();
    const { connection: _hop, 'content-length': _length, ...headers } = page.headers;
    return reply.code(page.statusCode).headers(headers).send(page.rawPayload);
  };
  const access = audience === 'open' ? 'public' : 'signed-in';
  for (const url of ['/openapi.json', '/docs', '/docs/*']) app.get(url, { config: { access }, schema: { hide: true } }, answer);
}
