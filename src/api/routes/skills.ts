/** GET /v1/skills, GET /v1/skills/{name}, POST /v1/skills/{name}/runs */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { failedRunEvent, runWriter } from '../../models/client-formats/skill-run.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json } from '../../types/json.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { answerWhenBegun } from '../answers/answer-chat.ts';
import { type Caller, may, requireSkill } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { refuseInvalid } from '../../application/chat/chat-body.ts';
import { invokeSkill } from '../../application/skills/invoke-skill.ts';
import { runViewOf, startInBackground } from '../../application/background/start-in-background.ts';
import type { CallServices } from '../../application/services.ts';
import { isForm, receiveSkillForm } from '../bodies/skill-form.ts';
import { receivingSignal, reservationOf, takeBodyReservation } from '../bodies/body-admission.ts';
import type { ActiveRequest } from '../active-requests.ts';
import { principalOf, snapshotOf, takeHeldSnapshot } from '../request-context.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

const runBody = z.strictObject({
  input: z.json().describe('The input of the skill, as its input_schema describes it.'),
  stream: z.boolean().default(false).describe('Steps and text as server-sent events: started, step, delta, then completed or failed.'),
  async: z.boolean().default(false).describe('Answer immediately with the id of the run; GET /v1/runs/{id} shows its progress.'),
});
interface Wanted {
  readonly input: Json;
  readonly stream: boolean;
  readonly async: boolean;
}

function described(entry: SkillEntry) {
  const { inputSchema, outputSchema } = entry.instance.describe();
  const { version, title, description, tags } = entry.spec;
  return { name: entry.name, version, title, description, tags, input_schema: inputSchema, output_schema: outputSchema };
}

function refuse(sentence: string, param: string): GatewayError {
  return new GatewayError('invalid_request', sentence, { param });
}

function readBody(body: unknown): Wanted {
  if (!isJsonObject(body)) throw refuse('The body must be a JSON object such as {"input": {…}}, or a form where there are files.', 'input');
  if (!('input' in body)) {
    const [unknownField] = Object.keys(body).filter((field) => field !== 'stream' && field !== 'async');
    const beside = unknownField === undefined ? '' : ` ("${unknownField.slice(0, 100)}" is not a field here)`;
    throw refuse(`input: is missing${beside}; the body is {"input": {…}}, with the fields of the skill in it.`, 'input');
  }
  const checked = runBody.safeParse(body);
  if (!checked.success) throw refuseInvalid(checked.error);
  return checked.data;
}

async function wantedOf(request: FastifyRequest, caller: Caller, skill: SkillEntry): Promise<Wanted> {
  const wanted = isForm(request)
    ? await receiveSkillForm(request, skill.instance.describe().inputSchema, {
        signal: receivingSignal(request, abortSignalOf(caller.signal)),
        room: reservationOf(request),
      })
    : readBody(request.body);
  if (wanted.stream && wanted.async)
    throw refuse('stream: a run with async is followed at GET /v1/runs/{id}?stream=true; choose one of the two.', 'stream');
  return wanted;
}

/** The fields of a request that stay valid after its connection is closed. */
function detachedRequest({ id, headers, principal, socket }: FastifyRequest): ActiveRequest['request'] {
  return { id, headers, principal, socket: { remoteAddress: socket.remoteAddress } };
}

export function addSkills(app: FastifyInstance, services: CallServices): void {
  const view = { access: ['llm:skill:view', 'llm:skill:use'] as const };

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

  // The route reads forms itself.
  void app.register(async (scope) => {
    scope.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null, undefined));
    scope.post<{ Params: { name: string } }>(
      '/v1/skills/:name/runs',
      {
        config: { access: ['llm:skill:use'] },
        schema: {
          tags: ['skills'],
          summary: 'Run a skill',
          description:
            'As JSON, or as multipart/form-data: the field input is JSON, each file is added to it as { name, media_type, base64 }.',
          body: runBody,
        },
        validatorCompiler: () => () => true,
      },
      async (request, reply) => {
        const caller = callerOf(request, reply);
        const skill = requireSkill(caller, request.params.name);
        const wanted = await wantedOf(request, caller, skill);
        if (!wanted.async) {
          const beginning = invokeSkill(services, caller, skill, wanted.input, { stream: wanted.stream }).then(({ run, events }) => ({
            run,
            events,
            deployment: null,
            attempts: null,
            warnings: [],
          }));
          answerWhenBegun(reply, beginning, wanted.stream, {
            writerOf: ({ run }) => runWriter(runViewOf(skill, run)),
            failure: (error) => failedRunEvent(skill.name, skill.spec.version, error),
          });
          return reply;
        }
        const { activeRequests } = request.server;
        const id = await startInBackground(services, caller, skill, wanted.input, {
          // The input stays in memory until the run ends.
          room: takeBodyReservation(request),
          snapshot: takeHeldSnapshot(request),
          watch: (end) => activeRequests.hold({ request: detachedRequest(request), needs: caller.needs, end }),
        });
        return reply
          .code(202)
          .header('location', `/v1/runs/${id}`)
          .header('x-pailou-trace-id', id)
          .send({ id, object: 'skill.run', skill: skill.name, version: skill.spec.version, status: 'running' });
      },
    );
  });
}
