/** Fields shared by several kinds of rows. */
import { z } from 'zod';
import { foreignNameField, lineField } from './printable-text.ts';

/** Letters, digits, and `. _ - / : @` inside; 1 to 128 characters. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@-]*(\/[A-Za-z0-9][A-Za-z0-9._:@-]*)*$/,
    'letters, digits and . _ - : @ with single slashes between, starting with a letter or digit',
  )
  .max(128);
/** A name that is also used before `/` or `__` in tool names. */
export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'small letters, digits and -, starting with a letter or digit')
  .max(64);
/** The name rule of SKILL.md. Published versions are rows too; skills older than this rule may have other names. */
export const skillName = z
  .string()
  .regex(
    /^((?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*|[a-z0-9][a-z0-9-]{0,63}@\d+\.\d+\.\d+)$/,
    'small letters and digits with single - between them, at most 64',
  );
export const tags = z.array(lineField(64).min(1)).max(32).default([]);
/** The field of rows that other tenants may have too. */
export const sharedWith = z
  .array(foreignNameField(128))
  .max(1_000)
  .optional()
  .describe(
    'The other tenants that have it too, under the same name; * for all. Administrators set it. Nobody there may call it before an administrator there grants it by name.',
  );
export const jsonObject = z.record(z.string(), z.json());
export const milliseconds = z.int().min(1).max(3_600_000);
/** The name of a model. `skill/…` and `mcp/…` are reserved for other capabilities. */
export const modelName = name.refine(
  (text) => !/^(skill|mcp)\//.test(text),
  'a name that does not begin with skill/ or mcp/, which are skills and tools',
);
/** The name of an MCP server: the part before `__` in the names of tools. */
export const serverName = slug.refine((text) => text !== 'skill' && text !== 'mcp', 'a name other than skill and mcp, which are reserved');
