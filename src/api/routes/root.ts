/** GET and HEAD /: answers clients that probe the base address, as Claude Code does. */
import type { FastifyInstance } from 'fastify';

export function addRoot(app: FastifyInstance): void {
  app.get('/', { config: { access: 'public' }, schema: { tags: ['operation'], summary: 'The gate is open' } }, async () => ({
    name: 'Pailou',
    documentation: `${app.pathPrefix}/docs`,
  }));
}
