/** Start-up fails for a route that writes without a declaration of its rows, and for a route without declared access. */
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { requireDeclaredAccess } from '../../src/api/admission.ts';

async function startWith(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', config: object): Promise<string> {
  const app = Fastify();
  requireDeclaredAccess(app);
  app.route({ method, url: '/thing', config, handler: async () => ({}) });
  try {
    await app.ready();
    return 'started';
  } catch (thrown) {
    return (thrown as Error).message;
  } finally {
    await app.close();
  }
}

describe('a start', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'is stopped by a route for %s that does not declare which rows it writes',
    async (method) => {
      expect(await startWith(method, { access: 'signed-in' })).toBe(
        `These routes do not declare which rows they write; add config.writes: ${method} /thing`,
      );
      expect(await startWith(method, { access: 'signed-in', writes: 'none' })).toBe('started');
      expect(await startWith(method, { access: 'signed-in', writes: ['model'] })).toBe('started');
    },
  );

  it('does not require declared writes of a route that only reads', async () => {
    expect(await startWith('GET', { access: 'signed-in' })).toBe('started');
  });

  it('fails for a route without declared access', async () => {
    expect(await startWith('GET', {})).toContain('add config.access: GET /thing');
  });
});
