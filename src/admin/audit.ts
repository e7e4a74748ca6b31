/** GET /api/audit: who did what, newest first. */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import type { AuditLog } from '../storage/audit.ts';
import { pageQuery } from './paging.ts';

export function addAudit(app: FastifyInstance, audit: AuditLog): void {
  app.get<{ Querystring: z.output<typeof pageQuery> }>(
    '/api/audit',
    {
      config: { access: 'administrator' },
      schema: { tags: ['audit'], summary: 'Every change and every denial, newest first', querystring: pageQuery },
    },
    async (request) => {
      const { after, limit } = request.query;
      return audit.list({ tenant: principalOf(request).tenant, after: after ?? null, limit });
    },
  );
}
