/** POST /v1/images/generations: forwards the request with the vendor's model name, and the vendor's answer. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { estimateTokens } from '../../models/estimate-usage.ts';
import type { Usage } from '../../types/chat.ts';
import type { JsonObject } from '../../types/json.ts';
import { callerOf } from '../request-caller.ts';
import { checkBody } from '../../application/chat/chat-body.ts';
import { answerPassthrough } from '../answers/passthrough-answer.ts';
import type { CallServices } from '../../application/services.ts';

const imagesBodySchema = z.looseObject({
  model: z.string().min(1).max(256),
  prompt: z.string().min(1),
  n: z.int().min(1).max(128).nullish(),
});

/** The kind of image as a price names it. */
function kindOfPicture({ size, quality }: JsonObject): Pick<Usage, 'pictureSize' | 'pictureQuality'> {
  return {
    ...(typeof size === 'string' ? { pictureSize: size } : {}),
    ...(typeof quality === 'string' ? { pictureQuality: quality } : {}),
  };
}

export function addImages(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/images/generations',
    {
      config: { access: ['llm:model:use'] },
      schema: {
        tags: ['calls'],
        summary: 'Make pictures',
        description: "OpenAI's shape; all other fields are passed to the vendor.",
        body: imagesBodySchema,
      },
    },
    async (request, reply) => {
      const { body, checked } = checkBody(request.body, imagesBodySchema, 'model and prompt');
      const { model, prompt, n } = checked;
      return answerPassthrough(
        services,
        callerOf(request, reply),
        reply,
        model,
        {
          operation: 'images',
          fields: body,
          encode: (name) => ({ contentType: 'application/json', body: JSON.stringify({ ...body, model: name }) }),
        },
        () => ({ inputTokens: estimateTokens(prompt), outputTokens: 0, pictures: n ?? 1, ...kindOfPicture(body), estimated: true }),
        n ?? 1,
      );
    },
  );
}
