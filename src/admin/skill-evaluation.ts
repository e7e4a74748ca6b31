/** POST /api/skills/{name}/evaluate: runs the draft's cases with several models, as a table. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { requireModel, requireSkill } from '../application/caller.ts';
import { callerOf } from '../api/request-caller.ts';
import { type CaseResult, evaluateCase } from '../application/skills/evaluate-case.ts';
import type { CallServices } from '../application/services.ts';
import { GatewayError } from '../types/errors.ts';
import { type NamedSkill, namedSkill } from './skill-rows.ts';

const evaluateBody = z
  .strictObject({ models: z.array(z.string().min(1).max(256)).min(1).max(10).optional().describe("Default: the skill's own.") })
  .nullish();
const result = z.object({
  case: z.string(),
  model: z.string(),
  passed: z.boolean(),
  fault: z.string().nullable(),
  run: z.string().nullable().describe('GET /v1/runs/{id} shows its calls.'),
  tokens: z.int().describe('The usage of the run and its child runs.'),
  cost: z.number().nullable().describe('An amount of the currency; null where a price is unknown.'),
  currency: z.string().nullable(),
  ms: z.int(),
});
const table = z.object({ passed: z.int(), failed: z.int(), data: z.array(result) });
const atOnce = 4;

/** Runs all cases of `<name>@draft` with each model. Throws like `requireSkill`, and `invalid_request` without cases. */
export async function evaluateDraft(
  services: CallServices,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  models?: readonly string[],
): Promise<z.output<typeof table>> {
  const caller = callerOf(request, reply);
  // An error names the skill as it was written.
  requireSkill(caller, name, 'manage');
  const skill = requireSkill(caller, `${name}@draft`);
  for (const model of models ?? []) requireModel(caller, model);
  const { cases, model } = skill.spec;
  if (cases.length === 0)
    throw new GatewayError('invalid_request', `The skill "${name}" has no cases; add some to its row.`, { param: 'cases' });
  const wanted = (models ?? [model]).flatMap((each) => cases.map((one) => ({ one, model: each })));
  const data: CaseResult[] = [];
  for (let start = 0; start < wanted.length; start += atOnce)
    data.push(
      ...(await Promise.all(
        wanted.slice(start, start + atOnce).map((each) => evaluateCase(services, caller, skill, each.one, each.model)),
      )),
    );
  const passed = data.filter((each) => each.passed).length;
  return { passed, failed: data.length - passed, data };
}

export function addSkillEvaluation(app: FastifyInstance, services: CallServices): void {
  app.post<{ Params: NamedSkill; Body: z.output<typeof evaluateBody> }>(
    '/api/skills/:name/evaluate',
    {
      config: { access: ['llm:skill:manage'], decides: true, writes: 'none' },
      schema: { tags: ['skills'], summary: 'Run the cases of a skill', params: namedSkill, body: evaluateBody, response: { 200: table } },
    },
    async (request, reply) => evaluateDraft(services, request, reply, request.params.name, request.body?.models),
  );
}
