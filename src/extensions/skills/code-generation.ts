/** The skill kind `code-generation`: generates files and checks their syntax where a parser exists. Nothing is executed. */
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileOnUse } from '../../schema/json-schema.ts';
import { textEvents } from '../../streaming/text-events.ts';
import { requireInput } from './prompting/input-validation.ts';
import { stripCodeFence } from './prompting/code-fences.ts';
import { askTyped, faultOf, jsonFormat } from './prompting/typed-answer.ts';
import { pathFault, pathsFault } from './code/file-paths.ts';
import { queueTicketOf } from './sandbox/queue-ticket.ts';
import { checkSyntax } from './code/checker/checker.ts';
import type { CodeFile, Syntax } from './code/syntax.ts';

const options = z.strictObject({
  language: z.string().min(1).max(100).optional().describe('Used when the input names none.'),
  instructions: z.string().max(20_000).default('').describe('Conventions: style, libraries, what to avoid.'),
  repairs: z.int().min(0).max(5).default(2),
});

const fileSchema: JsonObject = {
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
    files: { type: 'array', items: fileSchema, maxItems: 200, description: 'Files that are there already, to read and perhaps to change.' },
    tests: { type: 'boolean', description: 'Whether tests are wanted as well.' },
  },
  required: ['task'],
  additionalProperties: false,
};
const answerSchema: JsonObject = {
  type: 'object',
  properties: { files: { type: 'array', items: fileSchema, minItems: 1, maxItems: 200 }, explanation: { type: 'string', minLength: 1 } },
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
const check = compileOnUse(inputSchema);
const answerFault = faultOf(compileOnUse(answerSchema));

/** Checks the paths of a whole answer: inside the folder and unique. */
function faultOfPaths(files: readonly CodeFile[]): string | null {
  for (const { path } of files) {
    const fault = pathFault(path);
    if (fault !== null) return `the path "${path.slice(0, 100)}" ${fault}`;
  }
  return pathsFault(files.map(({ path }) => path));
}

/** Removes a code fence around a file, unless the file is Markdown. */
function normalizeFiles(answer: Json): Json {
  if (answerFault(answer) !== null) return answer;
  const { files, ...others } = answer as unknown as { readonly files: readonly CodeFile[] };
  const own = files.map(({ path, content }) => ({ path, content: /\.(md|mdx|markdown)$/i.test(path) ? content : stripCodeFence(content) }));
  return { ...others, files: own };
}

interface Checked {
  readonly file: CodeFile;
  readonly syntax: Syntax;
}

function errorIn(files: readonly Checked[]): string | null {
  for (const { file, syntax } of files) if (syntax.verdict === 'wrong') return `${file.path} has a syntax error: ${syntax.fault}`;
  return null;
}

/** The doubtful files of which the model has not been informed yet. */
function doubtIn(files: readonly Checked[], reported: Set<string>): string | null {
  for (const { file, syntax } of files) {
    const key = `${file.path}\n${file.content}`;
    if (syntax.verdict !== 'doubtful' || reported.has(key)) continue;
    reported.add(key);
    return `${file.path} seems to have a syntax error (${syntax.fault}); if it is right as it is, give the same again`;
  }
  return null;
}

interface Made {
  readonly files: readonly CodeFile[];
  readonly explanation: string;
  /** The paths of the files that parse. */
  readonly checked: readonly string[];
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
      const reported = new Set<string>();
      /** The last answer without a certain fault. */
      let made: Made | null = null;
      await askTyped(run, {
        body: { response_format: jsonFormat(answerSchema), ...(run.tools.length === 0 ? {} : { tools: run.tools }) },
        messages: [
          { role: 'system', content: system },
          {
            role: 'user',
            content: context === '' ? String(input['task'] as string) : `${String(input['task'] as string)}\n\nFiles:\n${context}`,
          },
        ],
        normalize: normalizeFiles,
        async fault(answer) {
          const { files: answered, explanation } = answer as unknown as Made;
          const wrong = answerFault(answer) ?? faultOfPaths(answered);
          if (wrong !== null) return wrong;
          const syntaxes = await checkSyntax(answered, queueTicketOf(run));
          const looked = answered.map((each, index): Checked => ({ file: each, syntax: syntaxes[index] as Syntax }));
          const error = errorIn(looked);
          if (error !== null) return error;
          const right = looked.filter(({ syntax }) => syntax.verdict === 'right').map(({ file: { path } }) => path);
          made = { files: answered, explanation, checked: right };
          return doubtIn(looked, reported);
        },
        repairs: settings.repairs,
      }).catch((thrown: unknown) => {
        // The repairs are used up. Doubts alone do not withhold the answer.
        if (made === null || !(thrown instanceof GatewayError) || thrown.code !== 'output_invalid') throw thrown;
      });
      return textEvents(JSON.stringify(made));
    },
  }),
});
