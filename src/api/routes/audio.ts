/** POST /v1/audio/speech and /v1/audio/transcriptions. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { estimateTokens } from '../../models/estimate-usage.ts';
import { GatewayError } from '../../types/errors.ts';
import { callerOf } from '../request-caller.ts';
import { checkBody } from '../../application/chat/chat-body.ts';
import { answerPassthrough } from '../answers/passthrough-answer.ts';
import type { CallServices } from '../../application/services.ts';
import { receivingSignal, reservationOf } from '../bodies/body-admission.ts';
import { receiveUpload } from '../bodies/upload.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

const speechBodySchema = z.looseObject({ model: z.string().min(1).max(256), input: z.string().min(1) });

/** Code points, the unit that vendors bill. */
const charactersIn = (text: string): number => text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);

export function addAudio(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/audio/speech',
    {
      config: { access: ['llm:model:use'] },
      schema: {
        tags: ['calls'],
        summary: 'Speak a text',
        description: "OpenAI's shape; all other fields are passed to the vendor.",
        body: speechBodySchema,
      },
    },
    async (request, reply) => {
      const { body, checked } = checkBody(request.body, speechBodySchema, 'model and input');
      const { model, input } = checked;
      return answerPassthrough(
        services,
        callerOf(request, reply),
        reply,
        model,
        {
          operation: 'speech',
          fields: body,
          encode: (name) => ({ contentType: 'application/json', body: JSON.stringify({ ...body, model: name }) }),
        },
        () => ({ inputTokens: estimateTokens(input), outputTokens: 0, characters: charactersIn(input), estimated: true }),
      );
    },
  );

  app.register(async (scope) => {
    // The handler reads the parts itself while they arrive.
    scope.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null, undefined));
    scope.post(
      '/v1/audio/transcriptions',
      {
        config: { access: ['llm:model:use'] },
        schema: {
          tags: ['calls'],
          summary: 'Write speech down',
          description: 'multipart/form-data with the fields model and file, as OpenAI takes it.',
        },
      },
      async (request, reply) => {
        const caller = callerOf(request, reply);
        const upload = await receiveUpload(request, {
          signal: receivingSignal(request, abortSignalOf(caller.signal)),
          room: reservationOf(request),
        });
        request.bodyArrival?.leave();
        reply.raw.once('close', () => upload.discard());
        const { model } = upload.fields;
        if (typeof model !== 'string' || model === '')
          throw new GatewayError('invalid_request', 'model: the form has no such field; name a model from GET /v1/models.', {
            param: 'model',
          });
        const milliseconds = await upload.soundMs();
        return answerPassthrough(
          services,
          caller,
          reply,
          model,
          { operation: 'transcriptions', fields: upload.fields, encode: (name) => upload.encode({ model: name }) },
          () => ({ inputTokens: 0, outputTokens: 0, milliseconds, estimated: true }),
        );
      },
    );
  });
}
