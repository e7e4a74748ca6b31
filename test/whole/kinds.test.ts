/** GET /api/kinds: the description from which forms are made. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeAll } from '../../src/config/kinds/kinds.ts';
import { fieldTitles } from '../../src/config/kinds/field-titles.ts';
import { kindTitles } from '../../src/config/kinds/kind-titles-zh.ts';
import { builtInFolders } from '../../src/plugins/built-in-folders.ts';
import { loadPlugins } from '../../src/plugins/loader.ts';
import type { PluginServices } from '../../src/types/plugin.ts';
import { startGateway, startProcess, type TestGateway } from './gateway.ts';

const ownPlugin = `
import { definePlugin, secret } from 'pailou/plugin';
import { z } from 'zod';
export default definePlugin({
  type: 'provider', kind: 'own-vendor', title: 'Our own vendor',
  options: z.strictObject({
    work_place: z.string().describe('Where it runs.').meta({ 'x-zh': { title: '机房', description: '运行地点。' }, examples: ['cellar'] }),
    pass_word: secret().optional(),
  }),
  create: () => { throw new Error('not part of this test'); },
});
`;

let gateway: TestGateway;
let folder: string;
// oxlint-disable-next-line no-explicit-any -- JSON Schema of many shapes
let answer: any;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-kinds-'));
  await writeFile(join(folder, 'own-vendor.ts'), ownPlugin);
  gateway = await startGateway({ PAILOU_PLUGINS_DIR: folder }, startProcess);
  answer = (await gateway.as('viewer', 'GET', '/api/kinds')).json;
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const kindOf = (type: string, kind: string) =>
  answer.kinds.find((each: { type: string; kind: string }) => each.type === type && each.kind === kind);
const rowOf = (type: string) => answer.rows.find((each: { type: string }) => each.type === type);

interface Field {
  readonly place: string;
  readonly name: string;
  readonly schema: Record<string, unknown>;
}

/** All properties of a schema, at any depth. */
function fieldsOf(schema: unknown, place: string): Field[] {
  if (Array.isArray(schema)) return schema.flatMap((inner) => fieldsOf(inner, place));
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {}, items, additionalProperties, anyOf, oneOf, allOf, $defs = {} } = schema as Record<string, object>;
  return [
    ...Object.entries(properties).flatMap(([name, inner]) => [
      { place: `${place}.${name}`, name, schema: inner as Record<string, unknown> },
      ...fieldsOf(inner, `${place}.${name}`),
    ]),
    ...[items, additionalProperties, anyOf, oneOf, allOf].flatMap((inner) => fieldsOf(inner, place)),
    ...Object.values($defs).flatMap((inner) => fieldsOf(inner, place)),
  ];
}

async function builtIns() {
  const logger = { info() {}, warn() {}, error() {}, debug() {} };
  const services = { logger, mode: 'development' } as unknown as PluginServices;
  return describeAll(await loadPlugins({ folders: builtInFolders, pluginsDir: null, services, logger: logger as never }));
}

it('lists the kinds of providers, skills, MCP transports and strategies with the options of each', () => {
  expect(answer.kinds.filter((each: { type: string }) => each.type === 'provider').length).toBeGreaterThan(30);
  expect(kindOf('provider', 'openai').options.properties.api_key).toMatchObject({
    type: 'string',
    title: 'API key',
    description: 'A key of platform.openai.com.',
    'x-zh': { title: 'API 密钥', description: 'platform.openai.com 的密钥。' },
    writeOnly: true,
    'x-order': 1,
  });
  expect(kindOf('provider', 'zhipu')).toMatchObject({ title: 'Zhipu GLM', 'x-zh': { title: '智谱 GLM' } });
  expect(kindOf('provider', 'deepseek').options.properties.base_url.default).toBe('https://api.deepseek.com');
  expect(kindOf('provider', 'openai').options.properties.proxy['x-advanced']).toBe(true);
  expect(kindOf('skill', 'prompt').options.properties.instructions['x-multiline']).toBe(true);
  expect(kindOf('mcp', 'http').options.required).toEqual(['url']);
  expect(kindOf('strategy', 'weighted')).toMatchObject({ title: 'Random by weight', options: null });
});

it('describes each row, and what its fields refer to', () => {
  expect(answer.rows.map((row: { type: string }) => row.type)).toEqual([
    'provider',
    'model',
    'skill',
    'mcp',
    'team',
    'service',
    'grant',
    'limit',
  ]);
  const { deployments, strategy } = rowOf('model').spec.properties;
  expect(deployments.items.properties.provider['x-reference']).toBe('provider');
  expect(strategy['x-reference']).toBe('kind/strategy');
  expect(rowOf('provider').name.pattern).toBeTypeOf('string');
  expect(rowOf('grant').name).toBe(null);
});

it('describes a plugin of the operator like a built-in kind, with its own Chinese texts', () => {
  const own = kindOf('provider', 'own-vendor');
  expect(own.options.properties.work_place).toMatchObject({ title: 'Work place', 'x-zh': { title: '机房', description: '运行地点。' } });
  expect(own.options.properties.pass_word).toMatchObject({ title: 'Pass word', writeOnly: true });
  expect(own.options.properties.proxy['x-zh'].title).toBe('代理');
  expect(own.example.spec).toEqual({ kind: 'own-vendor', options: { work_place: 'cellar' } });
});

it('has a title for each field, and Chinese for each text, of every built-in kind and row', async () => {
  const { kinds, rows } = await builtIns();
  const latin: string[] = [];
  const untitled: string[] = [];
  const schemas = [
    ...kinds.map(({ type, kind, options }) => [`${type}/${kind}`, options] as const),
    ...rows.map(({ type, spec }) => [type, spec] as const),
  ];
  for (const [place, schema] of schemas)
    for (const field of fieldsOf(schema, place)) {
      if (!(field.name in fieldTitles)) untitled.push(field.place);
      const { description } = field.schema;
      const zh = field.schema['x-zh'] as { description?: string } | undefined;
      if (description !== undefined && !/\p{Script=Han}/u.test(zh?.description ?? ''))
        latin.push(`${field.place}: ${JSON.stringify(description)}`);
    }
  expect(untitled).toEqual([]);
  expect(latin).toEqual([]);
});

it('has no text for a kind that is gone', async () => {
  const { kinds } = await builtIns();
  const titles = new Set(kinds.map(({ title }) => title));
  expect(Object.keys(kindTitles).filter((title) => !titles.has(title))).toEqual([]);
});

it('gives an example of each kind and each row that creates it as it stands', async () => {
  const refused: string[] = [];
  const collections: Record<string, string> = Object.fromEntries(
    answer.rows.map((row: { type: string; path: string }) => [row.type, row.path]),
  );
  const rows = answer.rows.map((row: { path: string; example: object }) => [row.path, row.example]);
  const kinds = answer.kinds
    .filter(({ type, kind }: { type: string; kind: string }) => type !== 'strategy' && kind !== 'own-vendor')
    .map(({ type, example }: { type: string; example: object }) => [collections[type], example]);
  // Models name the provider of the demo; the rest stands alone.
  for (const [path, example] of [...rows, ...kinds]) {
    const { status, text } = await gateway.as('admin', 'POST', path, example);
    if (status !== 201) refused.push(`${path} ${JSON.stringify(example)}: ${text}`);
  }
  expect(refused).toEqual([]);
});
