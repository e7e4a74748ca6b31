/** Holds the table of options in `docs/routing.md` to the schema of a model. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failureClasses, interruptions, modelSpec } from '../src/types/resources.ts';
import { listFiles, projectRoot } from './architecture/source-tree.ts';

const page = readFileSync(join(projectRoot, 'docs/routing.md'), 'utf8');

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** Each option as on the page: its path, and its default as JSON. An object that always exists has rows only for its fields. */
function optionsOf({ properties = {}, required = [] }: Schema, path = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const own = path + name;
    const preset = schema.default === undefined ? 'none' : `\`${JSON.stringify(schema.default)}\``;
    const row = `\`${own}\` | ${required.includes(name) ? 'required' : preset}`;
    // It has its own page.
    if (name === 'price') return [row];
    if (schema.type === 'object') return [...(schema.default === undefined ? [row] : []), ...optionsOf(schema, `${own}.`)];
    if (schema.items?.type === 'object') return [...(required.includes(name) ? [] : [row]), ...optionsOf(schema.items, `${own}[].`)];
    return [row];
  });
}

describe('the page of routing', () => {
  it('has one row for each option of a model, with its default', () => {
    const rows = [...page.matchAll(/^\| (`[a-z_.[\]]+` \| (?:required|none|`[^`]*`)) \| .*\|$/gm)].map((match) => match[1] ?? '');
    const options = optionsOf(z.toJSONSchema(modelSpec, { io: 'input' }) as Schema);
    expect(options.length).toBeGreaterThan(40);
    expect(rows.toSorted(), 'docs/routing.md, "Every option", differs from modelSpec in src/types/resources.ts').toEqual(
      options.toSorted(),
    );
  });

  it('explains each strategy, each class of failure and each value of `interrupted`', () => {
    const strategies = listFiles('src/dispatch/strategies').map((path) => (path.split('/').at(-1) ?? '').replace('.ts', ''));
    expect(strategies.length).toBeGreaterThan(5);
    const wanted = [...strategies, ...failureClasses, ...interruptions];
    expect(wanted.filter((name) => !page.includes(`\n| \`${name}\` |`))).toEqual([]);
  });

  it('gives an example that the schema takes', () => {
    const [, example] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    const { spec } = JSON.parse(example ?? '') as { spec: unknown };
    expect(modelSpec.safeParse(spec).error).toBeUndefined();
  });
});
