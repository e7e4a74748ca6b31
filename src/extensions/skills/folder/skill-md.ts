/** Reads and writes `SKILL.md` by the open specification (https://agentskills.io/specification). */
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { GatewayError } from '../../../types/errors.ts';

// Loaded on first use.
const require = createRequire(import.meta.url);
const yaml = (): typeof Yaml => require('yaml') as typeof Yaml;

export interface SkillMd {
  readonly name: string;
  readonly description: string;
  readonly license?: string;
  readonly compatibility?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly allowedTools: readonly string[];
  readonly body: string;
}

const fields = new Set(['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools']);
const mostHead = 64 * 1024;
/** The most metadata fields. The YAML library compares each key with all earlier ones, in quadratic time. */
const mostKeys = 400;
const mostComparisons = (mostKeys * mostKeys) / 2;

function refuse(field: string, sentence: string): GatewayError {
  return new GatewayError('invalid_request', `SKILL.md: ${field} ${sentence}.`, { param: `SKILL.md.${field}` });
}

function headOf(text: string): { head: Record<string, unknown>; body: string } {
  const [, head, body] = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text) ?? [];
  if (head === undefined || body === undefined)
    throw refuse('head', 'is missing: the file begins with --- and a YAML head, which ends with ---');
  if (head.length > mostHead) throw refuse('head', `is longer than ${mostHead} characters`);
  const { isScalar, parseDocument } = yaml();
  let comparisons = 0;
  const isSame = (one: unknown, other: unknown): boolean => {
    // The error ends the parsing of this list; the library reports it as a fault of the text.
    if (++comparisons > mostComparisons) throw new Error('too many fields');
    return one === other || (isScalar(one) && isScalar(other) && one.value === other.value);
  };
  const document = parseDocument(head, { schema: 'failsafe', uniqueKeys: isSame, merge: false });
  if (comparisons > mostComparisons) throw refuse('head', `has too many fields; up to ${mostKeys} fit under metadata`);
  const [error] = document.errors;
  if (error !== undefined) throw refuse('head', `is no YAML (${error.message.split('\n')[0]?.slice(0, 200)})`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw refuse('head', 'must not use YAML aliases');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse('head', 'must be a list of fields such as name and description');
  return { head: value as Record<string, unknown>, body };
}

function textOf(head: Record<string, unknown>, field: string, most: number): string | undefined {
  const value = head[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw refuse(field, 'must be a text');
  if (value.trim() === '') throw refuse(field, 'must not be empty');
  if (Array.from(value).length > most) throw refuse(field, `is longer than ${most} characters`);
  return value;
}

/** `folder`: the name of the folder, if known; `name` must equal it. Throws `invalid_request` naming the field. */
export function parseSkillMd(text: string, folder: string | null): SkillMd {
  const { head, body } = headOf(text);
  const unknownField = Object.keys(head).find((field) => !fields.has(field));
  if (unknownField !== undefined)
    throw refuse(
      unknownField.slice(0, 50),
      `is no field of the format; it has ${[...fields].join(', ')}. Put what is your own under metadata`,
    );
  const name = textOf(head, 'name', 64);
  if (name === undefined) throw refuse('name', 'is missing');
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) throw refuse('name', 'must be of small letters, digits and single - between them');
  if (folder !== null && folder !== name)
    throw refuse('name', `is "${name}", but the folder is called "${folder.slice(0, 64)}"; both must be the same`);
  const description = textOf(head, 'description', 1_024);
  if (description === undefined) throw refuse('description', 'is missing');
  const license = textOf(head, 'license', 1_024);
  const compatibility = textOf(head, 'compatibility', 500);
  // An empty YAML value is an empty string here.
  const metadata = head['metadata'] === undefined || head['metadata'] === '' || head['metadata'] === null ? {} : head['metadata'];
  if (typeof metadata !== 'object' || Array.isArray(metadata) || Object.values(metadata).some((value) => typeof value !== 'string'))
    throw refuse('metadata', 'must be of texts by name');
  const tools = textOf(head, 'allowed-tools', 10_000);
  return {
    name,
    description,
    ...(license === undefined ? {} : { license }),
    ...(compatibility === undefined ? {} : { compatibility }),
    metadata: metadata as Record<string, string>,
    allowedTools: tools === undefined ? [] : tools.trim().split(/\s+/),
    body,
  };
}

/** Writes one canonical form: equal values give equal bytes. */
export function writeSkillMd(skill: SkillMd): string {
  const { name, description, license, compatibility, metadata, allowedTools, body } = skill;
  const head = {
    name,
    description,
    ...(license === undefined ? {} : { license }),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(allowedTools.length === 0 ? {} : { 'allowed-tools': allowedTools.join(' ') }),
  };
  return `---\n${yaml().stringify(head, { lineWidth: 0, defaultStringType: 'PLAIN', defaultKeyType: 'PLAIN' })}---\n${body}`;
}
