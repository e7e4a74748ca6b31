/** GET /v1/models and /v1/models/{id}: what the caller may see, models and skills alike. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Capability } from '../../types/access.ts';
import { may, requireModel, requireSkill } from '../calls/caller.ts';
import { principalOf, snapshotOf } from '../request-context.ts';

interface Listed {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

function listed(id: string, entry: { readonly created: number; readonly capability: Capability }): Listed {
  return { id, object: 'model', created: entry.created, owned_by: entry.capability.owner ?? entry.capability.tenant };
}

function asker(request: FastifyRequest) {
  const principal = principalOf(request);
  return { principal, view: snapshotOf(request).tenant(principal.tenant) };
}

export function addModels(app: FastifyInstance): void {
  const config = { access: ['llm:model:view', 'llm:skill:view'] as const };

  app.get('/v1/models', { config, schema: { tags: ['calls'], summary: 'The models and skills that you may see' } }, async (request) => {
    const caller = asker(request);
    const models = [...caller.view.models.values()]
      .filter((entry) => may(caller, 'view', entry.capability))
      .map((entry) => listed(entry.name, entry));
    const skills = [...caller.view.skills.values()]
      .filter((entry) => may(caller, 'view', entry.capability))
      .map((entry) => listed(`skill/${entry.name}`, entry));
    return { object: 'list', data: [...models, ...skills].toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
  });

  // A wildcard, because names such as demo/echo may come with the slash encoded or plain.
  app.get<{ Params: { '*': string } }>(
    '/v1/models/*',
    { config, schema: { tags: ['calls'], summary: 'One model or skill' } },
    async (request) => {
      const caller = asker(request);
      const name = request.params['*'];
      if (name.startsWith('skill/')) return listed(name, requireSkill(caller, name.slice('skill/'.length), 'view'));
      return listed(name, requireModel(caller, name, 'view'));
    },
  );
}
