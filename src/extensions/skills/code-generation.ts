/** The skill kind `code-generation`: files that do a task, checked for their syntax where that is possible without running them. */
import { z } from 'zod';
import type { Json, JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileSchema } from '../../types/schema-check.ts';
import { textEvents } from '../../types/text-events.ts';
import { requireInput } from './asking/checked-input.ts';
import { askTyped, faultOf, jsonFormat } from './asking/typed-answer.ts';
import { type CodeFile, pathFault, syntaxFault } from './code/syntax.ts';

const options = z.strictObject({
  language: z.string().min(1).max(100).optional().describe('Unless the input says one.'),
  instructions: z.string().max(20_000).default('').describe('House rules: style, libraries, what to avoid.'),
  repairs: z.int().min(0).max(5).default(2),
});

const file: JsonObject = {
  type: 'object',
  properties: { path: { type: 'string', minLength: 1, maxLength: 500 }, content: { type: 'string' } },
  required: ['path', 'content'],
  additionalProperties: false,
};
const inputSchema: JsonObject = {
  type: 'object',
  properties: {
    task: { type: 'string', minLength: 1, description: 'What the code should do.' },
    language: { type: 'string', minLength: 1, maxLength: 100 },
    files: { type: 'array', items: file, maxItems: 200, description: 'Files that are there already, to read and perhaps to change.' },
    tests: { type: 'boolean', description: 'Whether tests are wanted as well.' },
  },
  required: ['task'],
  additionalProperties: false,
};
const answerSchema: JsonObject = {
  type: 'object',
  properties: { files: { type: 'array', items: file, minItems: 1, maxItems: 200 }, explanation: { type: 'string', minLength: 1 } },
  required: ['files', 'explanation'],
  additionalProperties: false,
};
const outputSchema: JsonObject = {
  ...answerSchema,
  properties: {
    ...(answerSchema['properties'] as JsonObject),
    checked: { type: 'array', items: { type: 'string' }, description: 'Paths of the files whose syntax was checked.' },
  },
  required: ['files', 'explanation', 'checked'],
};
const check = compileSchema(inputSchema);
const answerFault = faultOf(compileSchema(answerSchema));

/** Of a whole answer: paths that lead nowhere else, none twice, and a syntax that holds. */
function faultOfFiles(files: readonly CodeFile[]): string | null {
  const paths = new Set<string>();
  for (const each of files) {
    const path = pathFault(each.path);
    if (path !== null) return `the path "${each.path.slice(0, 100)}" ${path}`;
    if (paths.has(each.path)) return `the file ${each.path} is there twice`;
    paths.add(each.path);
    const syntax = syntaxFault(each);
    if (syntax.fault !== null) return `${each.path} has a syntax error: ${syntax.fault}`;
  }
  return null;
}

export default definePlugin({
  type: 'skill',
  kind: 'code-generation',
  title: 'Generation of code',
  options,
  create: (settings) => ({
    describe: () => ({ inputSchema, outputSchema }),
    async invoke(given: Json, run) {
      const input = requireInput(check, given);
      const language = typeof input['language'] === 'string' ? input['language'] : settings.language;
      const files = (input['files'] ?? []) as unknown as readonly CodeFile[];
      const system = [
        'You write code that works as it stands: complete files, no placeholders. Change of the given files only what the task needs, and give only files that are new or changed.',
        ...(language === undefined ? [] : [`Language: ${language}`]),
        input['tests'] === true ? 'Write tests too, in files of their own.' : 'Write no tests.',
        'Paths are relative, with /. The explanation is short: what it does, how to use it, what was assumed.',
        ...(settings.instructions === '' ? [] : [settings.instructions]),
        'Answer with JSON: {"files": [{"path": "...", "content": "..."}], "explanation": "..."}',
      ].join('\n');
      const context = files.map(({ path, content }) => `--- ${path}\n${content}`).join('\n');
      const value = await askTyped(run, {
        body: { response_format: jsonFormat(answerSchema), ...(run.tools.length === 0 ? {} : { tools: run.tools }) },
        messages: [
          { role: 'system', content: system },
          {
            role: 'user',
            content: context === '' ? String(input['task'] as string) : `${String(input['task'] as string)}\n\nFiles:\n${context}`,
          },
        ],
        fault: (answer) => answerFault(answer) ?? faultOfFiles((answer as unknown as { files: readonly CodeFile[] }).files),
        repairs: settings.repairs,
      });
      const made = value as unknown as { files: readonly CodeFile[]; explanation: string };
      const checked = made.files.filter((each) => syntaxFault(each).checked).map(({ path }) => path);
      return textEvents(JSON.stringify({ ...made, checked }));
    },
  }),
});
