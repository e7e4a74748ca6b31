/** The programs of `PAILOU_STDIO_PROGRAMS`: JSON itself, or the path of a file that holds it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { StdioProgram } from '../types/stdio-programs.ts';
import { zodSentence } from '../schema/zod-errors.ts';

const isPattern = (text: string): boolean => {
  try {
    return new RegExp(text, 'v') instanceof RegExp;
  } catch {
    return false;
  }
};

const parameter = z.strictObject({
  values: z.array(z.string().max(4_000)).min(1).max(1_000).optional(),
  pattern: z.string().max(500).refine(isPattern, 'is no regular expression').optional(),
  default: z.string().max(4_000).optional(),
});

const program = z.strictObject({
  command: z.string().min(1).max(1_000),
  args: z.array(z.string().max(4_000)).max(100).default([]),
  parameters: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), parameter).default({}),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .max(100)
    .default([]),
  cwd: z.string().min(1).max(1_000).optional(),
  tenants: z.union([z.literal('*'), z.array(z.string().min(1).max(256)).min(1).max(1_000)]),
});

const programs = z.record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'a name of small letters, digits and -'), program);

const placeholder = /\{([a-z][a-z0-9_]*)\}/g;

/** The names in braces in an argument, in order. */
export const placeholdersIn = (argument: string): readonly string[] => [...argument.matchAll(placeholder)].map(([, name]) => name ?? '');

/** Why the parameters of a program do not fit its arguments; null where they do. */
function mismatch({ args, parameters }: z.output<typeof program>): string | null {
  const used = new Set(args.flatMap(placeholdersIn));
  const undeclared = [...used].find((name) => !Object.hasOwn(parameters, name));
  if (undeclared !== undefined) return `{${undeclared}} stands in args and not in parameters`;
  const unused = Object.keys(parameters).find((name) => !used.has(name));
  return unused === undefined ? null : `the parameter ${unused} stands in none of args`;
}

/** The programs, or what is wrong with the setting. */
export function readStdioPrograms(text: string): readonly StdioProgram[] | string {
  let json: unknown;
  try {
    json = JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (thrown) {
    return thrown instanceof SyntaxError ? `is not JSON: ${thrown.message}` : `names the file ${text.slice(0, 200)}, which cannot be read`;
  }
  const checked = programs.safeParse(json);
  if (!checked.success) return zodSentence(checked.error, []).sentence;
  for (const [name, each] of Object.entries(checked.data)) {
    const why = mismatch(each);
    if (why !== null) return `${name}: ${why}`;
  }
  return Object.entries(checked.data).map(([name, { cwd, tenants, ...rest }]) => ({
    ...rest,
    name,
    parameters: rest.parameters as StdioProgram['parameters'],
    cwd: cwd ?? null,
    tenants: tenants === '*' ? null : tenants,
  }));
}
