/** Everything that a client needs to offer rows as forms: each kind of plugin and each kind of row, with its JSON Schema and an example. */
import type { PluginRegistry } from '../../plugins/registry.ts';
import type { JsonObject } from '../../types/json.ts';
import type { PluginType } from '../../types/plugin.ts';
import { resourceNames, resourceSpecs } from '../../types/resources.ts';
import { exampleOptions, exampleSpec, rowExamples } from './kind-examples.ts';
import { kindTitles, rowTitles } from './kind-titles-zh.ts';
import { formSchema, type References } from './form-schema.ts';
import { optionHelp } from './option-help-zh.ts';
import { rowHelp } from './row-help-zh.ts';

/** The types of kinds as the API names them, with the type of plugin behind each. */
export const kindTypes = { provider: 'provider', skill: 'skill', mcp: 'tool-source', strategy: 'strategy' } as const satisfies Record<
  string,
  PluginType
>;
export type KindType = keyof typeof kindTypes;

export interface KindDescription {
  readonly type: KindType;
  readonly kind: string;
  readonly title: string;
  readonly 'x-zh': { readonly title: string };
  /** JSON Schema of `spec.options`; null for strategies, which have none. */
  readonly options: JsonObject | null;
  /** A body that creates such a row; null when the options take no simple sample. */
  readonly example: JsonObject | null;
}

export interface RowDescription {
  readonly type: keyof typeof rowTitles;
  /** The collection of the API. */
  readonly path: string;
  readonly title: string;
  readonly 'x-zh': { readonly title: string };
  /** JSON Schema of the name; null where the gateway gives the name. */
  readonly name: JsonObject | null;
  /** JSON Schema of `spec`,. */
  readonly spec: JsonObject;
  /** A body that creates such a row. */
  readonly example: JsonObject;
}

export interface Kinds {
  readonly kinds: readonly KindDescription[];
  readonly rows: readonly RowDescription[];
}

const paths = {
  provider: '/api/providers',
  model: '/api/models',
  skill: '/api/skills',
  mcp: '/api/mcp-servers',
  team: '/api/teams',
  service: '/api/service-accounts',
  grant: '/api/grants',
  limit: '/api/limits',
} as const satisfies Record<keyof typeof rowTitles, string>;

const references: Partial<Record<keyof typeof rowTitles, References>> = {
  provider: { kind: 'kind/provider' },
  model: { 'deployments[].provider': 'provider', strategy: 'kind/strategy', 'fallbacks[].model': 'model' },
  skill: { kind: 'kind/skill', model: 'model', 'tools[]': 'capability', 'cases[].expect.judge.model': 'model' },
  mcp: { kind: 'kind/mcp' },
  service: { team: 'team' },
  grant: { subject: 'subject', capability: 'capability' },
  limit: { subject: 'subject', capability: 'capability', replaces: 'limit' },
};

const rowTypes = Object.keys(rowTitles) as readonly (keyof typeof rowTitles)[];
const typesOfKinds = Object.keys(kindTypes) as readonly KindType[];

function describeRow(type: keyof typeof rowTitles): RowDescription {
  const [title, zh] = rowTitles[type];
  return {
    type,
    path: paths[type],
    title,
    'x-zh': { title: zh },
    name: type === 'grant' ? null : formSchema(resourceNames[type], { help: rowHelp }),
    spec: formSchema(resourceSpecs[type], { help: rowHelp, ...(references[type] === undefined ? {} : { references: references[type] }) }),
    example: rowExamples[type],
  };
}

function describeKinds(registry: PluginRegistry, type: KindType): KindDescription[] {
  return registry.list(kindTypes[type]).map(({ kind, title, options }) => {
    const names = { type, kind, title, 'x-zh': { title: kindTitles[title] ?? title } };
    if (type === 'strategy') return { ...names, options: null, example: null };
    const shown = formSchema(options, { help: optionHelp });
    const sample = exampleOptions(`${type}/${kind}`, options, shown);
    return { ...names, options: shown, example: sample === null ? null : { name: `my-${kind}`, spec: exampleSpec(type, kind, sample) } };
  });
}

/** Kinds are fixed once the plugins are loaded. */
export function describeAll(registry: PluginRegistry): Kinds {
  return { kinds: typesOfKinds.flatMap((type) => describeKinds(registry, type)), rows: rowTypes.map(describeRow) };
}
