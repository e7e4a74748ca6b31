/** GET /api/kinds: the kinds of providers, skills, MCP transports and strategies, and the rows, as JSON Schema for forms. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ConfigService } from '../config/service.ts';
import { kindTypes, type KindType } from '../config/kinds/kinds.ts';

const names = Object.keys(kindTypes) as [KindType, ...KindType[]];

const chinese = z.object({ title: z.string() });
const jsonSchema = z.record(z.string(), z.json());
const example = z.record(z.string(), z.json());

const answer = z.object({
  kinds: z.array(
    z.object({
      type: z.enum(names),
      kind: z.string(),
      title: z.string(),
      'x-zh': chinese,
      options: jsonSchema.nullable().describe('JSON Schema of spec.options; null for strategies.'),
      example: example.nullable().describe('A body for POST to the collection.'),
    }),
  ),
  rows: z.array(
    z.object({
      type: z.string(),
      path: z.string().describe('The collection, such as /api/providers.'),
      title: z.string(),
      'x-zh': chinese,
      name: jsonSchema.nullable().describe('JSON Schema of the name; null where the gateway gives it.'),
      spec: jsonSchema.describe('JSON Schema of spec.'),
      example: example.describe('A body for POST to the collection.'),
    }),
  ),
});

const description = `Each property of a schema carries \`title\` and, where it needs one, \`description\` in English, both in Chinese under \`x-zh\`,
\`x-order\`, \`default\`, and \`writeOnly\` if it is a secret, which is never shown again. \`x-advanced\` marks what most rows leave out, \`x-multiline\` texts of
several lines, \`x-reference\` what the value names: a row (\`provider\`, \`model\`, \`limit\`), a \`capability\`, a \`subject\`, or \`kind/<type>\` of this list.
Plugins of the operator are in the list too.`;

export function addKinds(app: FastifyInstance, config: ConfigService): void {
  let body: string | undefined;
  app.get(
    '/api/kinds',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['configuration'],
        summary: 'The kinds of providers, skills and MCP servers, and the rows, as JSON Schema for forms',
        description,
        response: { 200: answer },
      },
    },
    async (_request, reply) => {
      // Constant while the process runs, and large.
      body ??= JSON.stringify(config.kinds());
      return reply.type('application/json; charset=utf-8').send(body);
    },
  );
}
