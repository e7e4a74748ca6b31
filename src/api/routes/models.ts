/** GET /v1/models and /v1/models/{id}: visible models and skills, in OpenAI's or Anthropic's shape. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Capability } from '../../types/access.ts';
import { splitPerson } from '../../types/person.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { may, requireModel, requireSkill } from '../../application/caller.ts';
import { type ModelFacts, modelFacts } from './model-facts.ts';
import { principalOf, snapshotOf, speaksMessages } from '../request-context.ts';

interface Listed extends ModelFacts {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

/** Callers see the subject; the control API also shows the issuer. Of a shared row: the tenant that shares it. */
function ownerOf({ owner, tenant, sharedBy }: Capability): string {
  return owner === null ? (sharedBy ?? tenant) : splitPerson(owner).subject;
}

function listed(id: string, entry: { readonly created: number; readonly capability: Capability }, facts: ModelFacts = {}): Listed {
  return { id, object: 'model', created: entry.created, owned_by: ownerOf(entry.capability), ...facts };
}

function listedModel(entry: ModelEntry): Listed {
  return listed(entry.name, entry, modelFacts(entry));
}

/** The shape that Anthropic's clients expect. */
function listedForMessages({ id, created, context_window, max_output_tokens }: Listed): object {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
    max_input_tokens: context_window ?? null,
    max_tokens: max_output_tokens ?? null,
  };
}

function asker(request: FastifyRequest) {
  const principal = principalOf(request);
  return { principal, view: snapshotOf(request).tenant(principal.tenant) };
}

export function addModels(app: FastifyInstance): void {
  const config = { access: ['llm:model:view', 'llm:model:use', 'llm:skill:view', 'llm:skill:use'] as const };

  app.get('/v1/models', { config, schema: { tags: ['calls'], summary: 'The models and skills that you may see' } }, async (request) => {
    const caller = asker(request);
    const models = [...caller.view.models.values()].filter((entry) => may(caller, 'view', entry.capability)).map(listedModel);
    const skills = [...caller.view.skills.values()]
      .filter((entry) => may(caller, 'view', entry.capability))
      .map((entry) => listed(`skill/${entry.name}`, entry));
    const data = [...models, ...skills].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    if (!speaksMessages(request)) return { object: 'list', data };
    return { data: data.map(listedForMessages), has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  });

  // A wildcard, because a name such as demo/echo may arrive with an encoded or a plain slash.
  app.get<{ Params: { '*': string } }>(
    '/v1/models/*',
    { config, schema: { tags: ['calls'], summary: 'One model or skill' } },
    async (request) => {
      const caller = asker(request);
      const name = request.params['*'];
      const found = name.startsWith('skill/')
        ? listed(name, requireSkill(caller, name.slice('skill/'.length), 'view'))
        : listedModel(requireModel(caller, name, 'view'));
      return speaksMessages(request) ? listedForMessages(found) : found;
    },
  );
}
