/** The row of a skill. */
import { z } from 'zod';
import { lineField, textField } from './printable-text.ts';
import { longestPerson } from './person.ts';
import { jsonObject, milliseconds, name, sharedWith, tags } from './spec-fields.ts';

export const versionNumber = z.string().regex(/^\d+\.\d+\.\d+$/, 'three numbers, such as 1.0.0');

const skillCase = z.strictObject({
  name: z.string().min(1).max(100),
  input: z.json(),
  expect: z
    .strictObject({
      equals: z.json().optional().describe('The output equals this value; the order of fields is ignored.'),
      contains: z.array(z.string().min(1).max(1_000)).max(50).default([]).describe('Texts that the output contains, ignoring case.'),
      schema: jsonObject.optional(),
      judge: z
        .strictObject({ model: name, question: z.string().min(1).max(2_000) })
        .optional()
        .describe('A question about the output for a judge model, whose answer must begin with yes.'),
    })
    .prefault({}),
});

export const skillSpec = z.strictObject({
  kind: z.string().min(1).max(64).default('prompt'),
  version: versionNumber.default('1.0.0'),
  live: versionNumber
    .nullable()
    .optional()
    .describe('The published version that callers get; null: the row itself, each change at once. Left out, it stays as it is.'),
  title: lineField(128).default(''),
  description: textField(1024).min(1),
  model: name.describe('The model that the skill uses, with the rights of its caller.'),
  tools: z
    .array(
      z
        .string()
        .regex(
          /^(mcp\/[^\s/*]+(\/(\*|[^\s*]+))?|skill\/[^\s/*]+|model\/[^\s*]+)$/,
          'must be mcp/<server>, mcp/<server>/<tool>, skill/<name> or model/<name>; * stands only for all tools of one server',
        )
        .max(300),
    )
    .max(200)
    .default([])
    .describe('The capabilities that the skill may use beside its model; each caller needs the right to it as well.'),
  options: jsonObject.default({}).describe("The skill kind's own options, e.g. instructions and input_schema."),
  limits: z
    .strictObject({
      total_ms: milliseconds.default(300_000),
      depth: z.int().min(1).max(16).default(4).describe('The most levels of skills that call skills, including this one.'),
      steps: z.int().min(1).max(64).default(8).describe('Rounds of tools in one conversation with the model.'),
      tokens: z.int().min(1).max(1_000_000_000).default(2_000_000).describe('The most tokens of a run and all its child runs.'),
    })
    .prefault({}),
  keep: z
    .strictObject({
      content: z
        .enum(['nothing', 'skill', 'all'])
        .default('nothing')
        .describe(
          'What is retained of each run beside counts, for its caller and for administrators: nothing; input and output of the skill; or also those of its child runs.',
        ),
      days: z.int().min(1).max(3_650).default(30),
    })
    .prefault({}),
  cases: z.array(skillCase).max(200).default([]).describe('Test cases; POST /api/skills/{name}/evaluate runs them.'),
  runs_as: z
    .enum(['caller', 'skill'])
    .default('caller')
    .describe(
      'With whose rights a run uses the model, tools and skills that the row names. caller: those of its caller. skill: exactly what the row names, as far as the person who published the version may use it, once an administrator has allowed the version (POST /api/skills/{name}/runs-as). Limits and budgets count the caller either way.',
    ),
  runs_as_allowed: z
    .strictObject({ version: versionNumber, digest: z.string().max(64), by: z.string().max(longestPerson), at: z.string().max(64) })
    .nullable()
    .optional()
    .describe('Which version may run as itself, and who allowed it. Set by administrators at …/runs-as; left out, it stays as it is.'),
  publish_needs_cases: z.boolean().default(false).describe('Whether all cases have to pass before a version is published.'),
  tags,
  shared_with: sharedWith,
});

export type SkillCase = z.output<typeof skillCase>;
export type SkillSpec = z.output<typeof skillSpec>;
