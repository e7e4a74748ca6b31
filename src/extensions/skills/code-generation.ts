/** The skill kind `code-generation`: files that do a task, checked for their syntax where that is possible without running them. */
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileSchema } from '../../types/schema-check.ts';
import { textEvents } from '../../types/text-events.ts';
import { requireInput } from './asking/checked-input.ts';
import { askTyped, faultOf, jsonFormat } from './asking/typed-answer.ts';
import { pathFault, pathsFault } from './code/paths.ts';
import { type CodeFile, syntaxOf } from './code/syntax.ts';

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
  for (const { path } of files) {
    const fault = pathFault(path);
    if (fault !== null) return `the path "${path.slice(0, 100)}" ${fault}`;
  }
  const together = pathsFault(files.map(({ path }) => path));
  if (together !== null) return together;
  for (const each of files) {
    const syntax = syntaxOf(each);
    if (syntax.verdict === 'wrong') return `${each.path} has a syntax error: ${syntax.fault}`;
  }
  return null;
}

/** What only a parser that may lag behind its language complains of; not of a file whose model was told, and stands by it. */
function doubtOfFiles(files: readonly CodeFile[], told: Set<string>): string | null {
  for (const each of files) {
    const syntax = syntaxOf(each);
    const key = `${each.path}\n${each.content}`;
    if (syntax.verdict !== 'doubtful' || told.has(key)) continue;
    told.add(key);
    return `${each.path} seems to have a syntax error (${syntax.fault}); if it is right as it is, give the same again`;
  }
  return null;
}

interface Made {
  readonly files: readonly CodeFile[];
  readonly explanation: string;
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
      const told = new Set<string>();
      let doubtful: Made | null = null;
      const made = await askTyped(run, {
        body: { response_format: jsonFormat(answerSchema), ...(run.tools.length === 0 ? {} : { tools: run.tools }) },
        messages: [
          { role: 'system', content: system },
          {
            role: 'user',
            content: context === '' ? String(input['task'] as string) : `${String(input['task'] as string)}\n\nFiles:\n${context}`,
          },
        ],
        fault: (answer) => {
          const wrong = answerFault(answer) ?? faultOfFiles((answer as unknown as Made).files);
          if (wrong !== null) return wrong;
          const doubt = doubtOfFiles((answer as unknown as Made).files, told);
          if (doubt !== null) doubtful = answer as unknown as Made;
          return doubt;
        },
        repairs: settings.repairs,
      }).then(
        (value) => value as unknown as Made,
        (thrown: unknown) => {
          // The repairs are used up; advice is no reason to give nothing.
          if (doubtful !== null && thrown instanceof GatewayError && thrown.code === 'output_invalid') return doubtful;
          throw thrown;
        },
      );
      const checked = made.files.filter((each) => syntaxOf(each).verdict === 'right').map(({ path }) => path);
      return textEvents(JSON.stringify({ ...made, checked }));
    },
  }),
});
