/** GET /v1/skills, GET /v1/skills/{name}, POST /v1/skills/{name}/runs */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { collectText } from '../../models/collect-text.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json } from '../../types/json.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { callerOf, may, requireSkill } from '../calls/caller.ts';
import { refuseInvalid } from '../calls/chat-body.ts';
import { invokeSkill } from '../calls/invoke-skill.ts';
import type { CallServices } from '../calls/services.ts';
import { principalOf, snapshotOf } from '../request-context.ts';

const runBody = z.strictObject({
  input: z.json().describe("What the skill works on; its shape is the skill's input_schema."),
});

function described(entry: SkillEntry) {
  const { inputSchema, outputSchema } = entry.instance.describe();
  const { version, title, description, tags } = entry.spec;
  return { name: entry.name, version, title, description, tags, input_schema: inputSchema, output_schema: outputSchema };
}

export function addSkills(app: FastifyInstance, services: CallServices): void {
  const view = { access: ['llm:skill:view'] as const };

  app.get('/v1/skills', { config: view, schema: { tags: ['skills'], summary: 'The skills that you may see' } }, async (request) => {
    const principal = principalOf(request);
    const tenant = snapshotOf(request).tenant(principal.tenant);
    const visible = [...tenant.skills.values()].filter((entry) => may({ principal, view: tenant }, 'view', entry.capability));
    return { data: visible.map(described).toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
  });

  app.get<{ Params: { name: string } }>(
    '/v1/skills/:name',
    { config: view, schema: { tags: ['skills'], summary: 'One skill with its schemas' } },
    async (request) => {
      const principal = principalOf(request);
      return described(requireSkill({ principal, view: snapshotOf(request).tenant(principal.tenant) }, request.params.name, 'view'));
    },
  );

  app.post<{ Params: { name: string } }>(
    '/v1/skills/:name/runs',
    { config: { access: ['llm:skill:use'] }, schema: { tags: ['skills'], summary: 'Run a skill', body: runBody } },
    async (request, reply) => {
      if (!isJsonObject(request.body))
        throw new GatewayError('invalid_request', 'The body must be a JSON object with the field input.', { param: 'input' });
      const checked = runBody.safeParse(request.body);
      if (!checked.success) throw refuseInvalid(checked.error);
      const caller = callerOf(request, reply);
      const skill = requireSkill(caller, request.params.name);
      const call = await invokeSkill(services, caller, skill, checked.data.input, { stream: false });
      const answer = await collectText(call.events);
      const output = skill.instance.describe().outputSchema === null ? answer.text : (JSON.parse(answer.text) as Json);
      reply.header('x-pailou-trace-id', call.run.id);
      return {
        id: call.run.id,
        object: 'skill.run',
        skill: skill.name,
        version: skill.spec.version,
        status: 'completed',
        output,
        usage: answer.usage === null ? null : { input_tokens: answer.usage.inputTokens, output_tokens: answer.usage.outputTokens },
      };
    },
  );
}
