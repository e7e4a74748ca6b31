/** The first fault of a zod check as text: the field and what is wrong with it. */
import type { z } from 'zod';
import { plainZodMessage } from './zod-messages.ts';

/** The fields of a zod issue that are read. Fastify passes issues on in its own type. */
export interface ZodIssueLike {
  readonly code?: string | undefined;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  /** Of `unrecognized_keys`. */
  readonly keys?: unknown;
  /** Of `invalid_union`: the issues of each alternative. */
  readonly errors?: unknown;
}

export interface ZodFault {
  /** Such as `spec.steps[0].use`; empty for the whole. */
  readonly param: string;
  /** Such as `is missing`. */
  readonly sentence: string;
}

/** `a`, `0`, `b` as `a[0].b`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`)).join('');
}

const unknownFieldsOf = ({ code, keys }: ZodIssueLike): string[] =>
  code === 'unrecognized_keys' && Array.isArray(keys) ? keys.map(String) : [];

/** `must be true or false, or "always"`, from the alternatives of a union that has no message of its own. */
function unionWords({ errors }: ZodIssueLike): string {
  const alternatives = (Array.isArray(errors) ? (errors as readonly (readonly ZodIssueLike[])[]) : []).map(([issue]) =>
    issue?.path.length === 0 ? plainZodMessage(issue.message).replace(/, not .*$/, '') : '',
  );
  const words = alternatives.filter((each) => each.startsWith('must be ')).map((each) => each.slice('must be '.length));
  return words.length === 0 || words.length < alternatives.length ? 'does not fit' : `must be ${words.join(', or ')}`;
}

/** `under` is the path of the checked value. A missing field beside an unknown one is probably a typing error; the sentence names both. */
export function firstZodFault(issues: readonly ZodIssueLike[], under: readonly PropertyKey[] = []): ZodFault {
  const [first] = issues;
  if (first === undefined) return { param: pathText(under), sentence: 'it does not fit' };
  const [unknownField] = unknownFieldsOf(first);
  if (unknownField !== undefined) return { param: pathText([...under, ...first.path, unknownField]), sentence: 'is not a field here' };
  const param = pathText([...under, ...first.path]);
  if (first.code === 'invalid_union' && first.message === 'Invalid input') return { param, sentence: unionWords(first) };
  if (first.code !== 'invalid_type' || !first.message.endsWith('received undefined'))
    return { param, sentence: plainZodMessage(first.message) };
  const place = pathText(first.path.slice(0, -1));
  const beside = issues.filter((issue) => pathText(issue.path) === place).flatMap(unknownFieldsOf);
  return {
    param,
    sentence: beside.length === 0 ? 'is missing' : `is missing (${beside.map((each) => `"${each}"`).join(', ')} is not a field here)`,
  };
}

/** The fault as one sentence. */
export function faultSentence({ param, sentence }: ZodFault): string {
  return param === '' ? `The body is not valid: ${sentence}.` : `${param}: ${sentence}.`;
}

export function zodSentence(error: z.ZodError, under: readonly PropertyKey[] = []): ZodFault {
  const fault = firstZodFault(error.issues, under);
  return { param: fault.param, sentence: faultSentence(fault) };
}
