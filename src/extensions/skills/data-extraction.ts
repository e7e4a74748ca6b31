/** The skill kind `data-extraction`: extracts data of a given schema from documents, each value with a quote as evidence. */
import { z } from 'zod';
import type { ChatEvent } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileOnUse, compileSchema, type SchemaCheck } from '../../schema/json-schema.ts';
import type { SkillRun } from '../../types/skill.ts';
import { textEvents } from '../../streaming/text-events.ts';
import { requireDocument, inputError } from './prompting/input-validation.ts';
import { runConcurrently, defaultConcurrency } from './prompting/concurrent-steps.ts';
import { askTyped, faultOf, jsonFormat } from './prompting/typed-answer.ts';
import { queueTicketOf } from './sandbox/queue-ticket.ts';
import { documentFields, eitherDocument, readInputDocument } from './documents/document.ts';
import { chunkSections } from './documents/chunks.ts';
import type { Section } from './documents/section.ts';
import { normalizeAnswer } from './extraction/answer-normalizer.ts';
import { mergeRecords, type Repeated } from './extraction/merge.ts';
import { type Found, verifyRecord } from './extraction/verify.ts';
import type { Rejected } from './extraction/verified-data.ts';
import { answerSchema, instructionsFor } from './extraction/extraction-prompt.ts';
import { createSourceIndex } from './extraction/source-index.ts';
import { readGivenSchema, readRecordSchema, type RecordSchema } from './extraction/record-schema.ts';

const jsonSchema = z.record(z.string(), z.json());
const options = z
  .strictObject({
    schema: jsonSchema.optional().describe('JSON Schema of the data, unless the input brings its own: an object, or an array of objects.'),
    instructions: z.string().max(10_000).default('').describe('What to look for, and what the fields mean.'),
    piece_chars: z.int().min(1_000).max(500_000).default(12_000).describe('Characters per model call.'),
    overlap_chars: z
      .int()
      .min(0)
      .max(10_000)
      .default(600)
      .describe('Characters of a chunk that are repeated in the next, so that nothing is lost at the boundary.'),
    repeated: z
      .enum(['once', 'each'])
      .default('once')
      .describe(
        'For lists. once: equal records in several places are one; each: every place counts, such as two equal lines of an invoice.',
      ),
    read_seconds: z.int().min(1).max(600).default(60).describe('A file that takes longer to read is refused.'),
    repairs: z.int().min(0).max(5).default(2),
  })
  .refine(({ piece_chars: piece, overlap_chars: overlap }) => overlap * 2 <= piece, {
    path: ['overlap_chars'],
    message: 'must be at most half of piece_chars',
  });

const inputSchema: JsonObject = {
  type: 'object',
  properties: {
    ...documentFields,
    schema: { type: 'object', description: 'JSON Schema of the data: an object, or an array of objects for all there are.' },
    instructions: { type: 'string', maxLength: 10_000, description: 'What to look for, and what the fields mean.' },
    repeated: { enum: ['once', 'each'], description: 'Whether equal records in several places are one (once) or several (each).' },
  },
  ...eitherDocument,
  additionalProperties: false,
};
const evidence: JsonObject = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'Such as [2].price.' },
    quote: { type: 'string' },
    source: { type: 'string', description: 'Page and heading.' },
    exact: {
      type: 'boolean',
      description: 'True when the quote contains the value itself; false when the quote implies it, such as a date or a yes.',
    },
  },
  required: ['path', 'quote', 'source', 'exact'],
};
const outputSchema: JsonObject = {
  type: 'object',
  properties: {
    data: { description: 'As in the schema; values that the document lacks are left out.' },
    evidence: { type: 'array', items: evidence, description: 'For each value the quote of the document that supports it.' },
    rejected: {
      type: 'array',
      items: { type: 'object', properties: { value: {}, reason: { type: 'string' } }, required: ['value', 'reason'] },
      description: 'Values without a supporting quote, and values that contradict an earlier place.',
    },
    complete: { type: 'boolean', description: 'Whether the data fits the schema, including required fields.' },
  },
  required: ['data', 'evidence', 'rejected', 'complete'],
};
const expected = { schema: inputSchema, check: compileOnUse(inputSchema) };

function invalidSchema(sentence: string): GatewayError {
  const param = 'spec.options.schema';
  return new GatewayError('configuration_invalid', `${param}: ${sentence}.`, { param });
}

function compiled(schema: JsonObject): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (thrown) {
    throw inputError('schema', `cannot be extracted chunk by chunk (${(thrown as Error).message.slice(0, 200)})`);
  }
}

export default definePlugin({
  type: 'skill',
  kind: 'data-extraction',
  title: 'Extraction of data',
  options,
  create(settings) {
    const own = settings.schema === undefined ? null : readRecordSchema(settings.schema, invalidSchema);

    async function* extract(
      input: JsonObject,
      asked: RecordSchema,
      sections: readonly Section[],
      run: SkillRun,
    ): AsyncGenerator<readonly ChatEvent[]> {
      const { many, whole, kindOf, typesOf } = asked;
      const givenInstructions = typeof input['instructions'] === 'string' ? input['instructions'] : settings.instructions;
      const system = instructionsFor(asked, givenInstructions);
      const schema = answerSchema(asked);
      const fault = faultOf(compiled(schema));
      const pieces = chunkSections(sections, settings.piece_chars, settings.overlap_chars);
      const answers = yield* runConcurrently(pieces, defaultConcurrency, 'part read', async ({ text, parts, overlap }) => {
        const value = await askTyped(run, {
          body: { response_format: jsonFormat(schema) },
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: text },
          ],
          normalize: (answer) => normalizeAnswer(answer, typesOf),
          fault,
          repairs: settings.repairs,
        });
        const { records } = value as unknown as { records: readonly Found[] };
        const proving = { reading: createSourceIndex(parts), kindOf };
        const rejected: Rejected[] = [];
        return { records: records.flatMap((each) => verifyRecord(each, proving, rejected) ?? []), rejected, overlap };
      });
      const result = mergeRecords(answers, many, (input['repeated'] ?? settings.repeated) as Repeated);
      const complete = whole.fault(result.data) === null;
      yield* textEvents(JSON.stringify({ ...result, complete }));
    }
    return {
      describe: () => ({ inputSchema, outputSchema }),
      async invoke(given: Json, run) {
        const input = requireDocument(expected, given);
        // A wrong schema is reported before a document is read.
        const asked = own === null || input['schema'] !== undefined ? readGivenSchema(input['schema']) : own;
        return extract(input, asked, await readInputDocument(input, queueTicketOf(run), { seconds: settings.read_seconds }), run);
      },
    };
  },
});
