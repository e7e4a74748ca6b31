/** GET and HEAD /: a sign of life for clients that look at the base address before they call, as Claude Code does. */
import type { FastifyInstance } from 'fastify';

export function addRoot(app: FastifyInstance): void {
  app.get('/', { config: { access: 'public' }, schema: { tags: ['operation'], summary: 'The gate is open' } }, async () => ({
    name: 'Pailou',
    documentation: '/docs',
  }));
}
