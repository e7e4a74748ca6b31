/** GET and HEAD /: leads browsers to the console, and answers clients that probe the base address, as Claude Code does. */
import type { FastifyInstance } from 'fastify';
import { consoleAddress } from './console.ts';

export function addRoot(app: FastifyInstance): void {
  app.get('/', { config: { access: 'public' }, schema: { tags: ['operation'], summary: 'The gate is open' } }, async (request, reply) => {
    const isBrowser = String(request.headers.accept ?? '').includes('text/html');
    const address = isBrowser ? consoleAddress(app, request) : null;
    void reply.header('vary', 'accept, x-forwarded-prefix');
    if (address !== null) return reply.redirect(address, 302);
    return { name: 'Pailou', documentation: `${app.pathPrefix}/docs` };
  });
}
