/** The skill kind `doc-summary`: summarises documents of any length, with the source sections of each point. */
import { z } from 'zod';
import type { ChatEvent } from '../../types/chat.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileOnUse } from '../../schema/json-schema.ts';
import type { SkillRun } from '../../types/skill.ts';
import { textEvents } from '../../streaming/text-events.ts';
import { requireDocument } from './prompting/input-validation.ts';
import { runConcurrently, defaultConcurrency } from './prompting/concurrent-steps.ts';
import { queueTicketOf } from './sandbox/queue-ticket.ts';
import { documentFields, eitherDocument, readInputDocument } from './documents/document.ts';
import { byLines } from './documents/line-sections.ts';
import { chunkSections } from './documents/chunks.ts';
import { numberOf, placeOf, type Section } from './documents/section.ts';
import { grouped, written } from './summary/summary-batches.ts';
import { askForSummary, type Part, type Point, type Question, type SummaryInstructions } from './summary/summary-prompt.ts';

const lengths = { short: 'at most 3 sentences', medium: 'one or two paragraphs', long: 'about one page' } as const;
const options = z.strictObject({
  length: z.enum(['short', 'medium', 'long']).default('medium'),
  language: z.string().min(1).max(100).optional().describe('Default: the language of the document.'),
  style: z.string().max(1_000).default(''),
  instructions: z.string().max(10_000).default('').describe('The focus, and other instructions.'),
  piece_chars: z.int().min(1_000).max(500_000).default(24_000).describe('Characters per model call.'),
  read_seconds: z.int().min(1).max(600).default(60).describe('A file that takes longer to read is refused.'),
  repairs: z.int().min(0).max(5).default(2),
});
type Options = z.output<typeof options>;

const inputSchema: JsonObject = {
  type: 'object',
  properties: {
    ...documentFields,
    length: { enum: Object.keys(lengths) },
    language: { type: 'string', minLength: 1, maxLength: 100, description: 'The language of the summary.' },
    style: { type: 'string', maxLength: 1_000, description: 'E.g. for managers, as bullet points.' },
    instructions: { type: 'string', maxLength: 10_000, description: 'The focus, and other instructions.' },
  },
  ...eitherDocument,
  additionalProperties: false,
};
const outputSchema: JsonObject = {
  type: 'object',
  properties: {
    summary: { type: 'string' },
    key_points: {
      type: 'array',
      items: {
        type: 'object',
        properties: { text: { type: 'string' }, sources: { type: 'array', items: { type: 'string' }, description: 'Pages and headings.' } },
        required: ['text', 'sources'],
      },
    },
    sections: { type: 'integer', description: 'Pages or sections that were read.' },
  },
  required: ['summary', 'key_points', 'sections'],
};
const expected = { schema: inputSchema, check: compileOnUse(inputSchema) };

/** The instructions of the input, with those of the row as defaults. */
function summaryInstructionsOf(settings: Options, input: JsonObject): SummaryInstructions {
  const given = (field: string): string => (typeof input[field] === 'string' ? input[field] : '');
  const language = given('language') || settings.language;
  const style = given('style') || settings.style;
  const instructions = given('instructions') || settings.instructions;
  const ofLast = [
    `Length of the summary: ${lengths[(given('length') || settings.length) as keyof typeof lengths]}.`,
    language === undefined ? 'Write in the language of the document.' : `Write in ${language}.`,
    ...(style === '' ? [] : [`Style: ${style}`]),
  ].join('\n');
  return { ofAll: instructions === '' ? '' : `Wishes for the whole: ${instructions}\n`, ofLast };
}

/** The sources of a point for people, without duplicates. */
function sourcesOf({ sections: numbers }: Point, named: ReadonlyMap<number, Section>): readonly string[] {
  return [...new Set(numbers.map((number) => placeOf(named.get(number) as Section)))];
}

/** Summarises the document in parts, then combines the summaries until one is left. */
async function* summarise(
  settings: Options,
  input: JsonObject,
  sections: readonly Section[],
  run: SkillRun,
): AsyncGenerator<readonly ChatEvent[]> {
  const summaryInstructions = summaryInstructionsOf(settings, input);
  const ask = (question: Question): Promise<Part> => askForSummary(run, question, summaryInstructions, settings.repairs);
  const pieces = chunkSections(sections, settings.piece_chars, 0);
  let parts: readonly Part[] = yield* runConcurrently(pieces, defaultConcurrency, 'part read', ({ text, sections: numbers }) =>
    ask({ task: 'read', text, sections: new Set(numbers), isLast: pieces.length === 1 }),
  );
  while (parts.length > 1) {
    const groups = grouped(parts, settings.piece_chars);
    const isLast = groups.length === 1;
    parts = yield* runConcurrently(groups, defaultConcurrency, 'parts joined', async (group) => {
      if (group.length === 1 && !isLast) return group[0] as Part;
      const numbers = new Set(group.flatMap(({ key_points: points }) => points.flatMap((each) => each.sections)));
      return ask({ task: 'join', text: group.map(written).join('\n\n'), sections: numbers, isLast });
    });
  }
  const [{ summary, key_points: points } = { summary: '', key_points: [] }] = parts;
  const named = new Map(sections.map((section, index) => [numberOf(section, index), section]));
  const keyPoints = points.map((each) => ({ text: each.text, sources: sourcesOf(each, named) }));
  yield* textEvents(JSON.stringify({ summary, key_points: keyPoints, sections: sections.length }));
}

export default definePlugin({
  type: 'skill',
  kind: 'doc-summary',
  title: 'Summary of documents',
  options,
  create: (settings) => ({
    describe: () => ({ inputSchema, outputSchema }),
    async invoke(given: Json, run) {
      const input = requireDocument(expected, given);
      const sections = await readInputDocument(input, queueTicketOf(run), { seconds: settings.read_seconds });
      return summarise(settings, input, byLines(sections), run);
    },
  }),
});
