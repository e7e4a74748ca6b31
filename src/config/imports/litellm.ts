/** Reads the configuration file of LiteLLM's proxy. Source: https://docs.litellm.ai/docs/proxy/config_settings */
import { parse } from 'yaml';
import { z } from 'zod';
import type { ConfigDocument } from '../documents.ts';
import { brief, type Imported, ImportedRows, rowName, textOf } from './imported.ts';
import { deploymentOf } from './litellm-deployment.ts';
import { addMcpServers } from './litellm-mcp.ts';

const members = z.record(z.string(), z.unknown(), { error: 'must be a mapping' });
const fallback = z.record(z.string(), z.array(z.string()));

const listed = z.looseObject(
  { model_name: z.string({ error: 'must be a text' }).min(1, 'must not be empty'), litellm_params: members, model_info: members.nullish() },
  { error: 'must be a mapping' },
);

const file = z.looseObject({
  model_list: z
    .array(z.unknown(), { error: 'must be a list of models, as in the configuration file of LiteLLM' })
    .nullish()
    .transform((list) => list ?? []),
  litellm_settings: members.nullish(),
  router_settings: members.nullish(),
  general_settings: members.nullish(),
  mcp_servers: members.nullish(),
});

/** The kinds of fallbacks, with the failures that lead to them here. */
const fallbackKinds = {
  fallbacks: ['overload', 'error'],
  context_window_fallbacks: ['context_length'],
  content_policy_fallbacks: ['content_filter'],
} as const;

const strategies: Readonly<Record<string, string>> = {
  'simple-shuffle': 'weighted',
  'least-busy': 'least-busy',
  'latency-based-routing': 'lowest-latency',
  'cost-based-routing': 'lowest-cost',
  'usage-based-routing': 'least-busy',
  'usage-based-routing-v2': 'least-busy',
};

/** The sections and settings that have a counterpart. */
const usedSections: ReadonlySet<string> = new Set(['model_list', 'router_settings', 'litellm_settings', 'general_settings', 'mcp_servers']);
const usedSettings: ReadonlySet<string> = new Set([
  ...Object.keys(fallbackKinds),
  'routing_strategy',
  'model_group_alias',
  'num_retries',
  'default_fallbacks',
]);

const advice: Readonly<Record<string, string>> = {
  environment_variables: 'set them where the gateway starts',
  'general_settings.master_key': 'people sign in with tokens of your OAuth2 service',
  'general_settings.database_url': 'keys, teams and budgets of its database are not read; people make keys with POST /api/keys',
  'litellm_settings.success_callback': 'calls leave as OpenTelemetry traces, docs/operations.md',
  'litellm_settings.cache': 'set spec.cache of a model, docs/cache.md',
  guardrails: 'there is no counterpart',
};

type Model = ConfigDocument['spec'] & { deployments: Record<string, unknown>[]; operations: string[]; limits?: Record<string, unknown> };
type File = z.output<typeof file>;

function addFallbacks(models: ReadonlyMap<string, Model>, settings: Record<string, unknown>, rows: ImportedRows): void {
  const add = (from: string, on: readonly string[], targets: readonly string[]): void => {
    const model = models.get(from);
    if (model === undefined) return rows.left(`fallbacks: there is no model "${from}".`);
    const known = targets.filter((target) => models.has(target) && target !== from);
    for (const target of targets.filter((each) => !models.has(each))) rows.left(`fallbacks: ${from}: there is no model "${target}".`);
    const fallbacks = (model['fallbacks'] ??= []) as Record<string, unknown>[];
    fallbacks.push(...known.map((target) => ({ on: [...on], model: rowName(target) })));
  };
  for (const [kind, on] of Object.entries(fallbackKinds)) {
    const given = settings[kind] ?? [];
    for (const entry of Array.isArray(given) ? given : [given]) {
      const { success, data } = fallback.safeParse(entry);
      if (!success) rows.left(`${kind}: ${brief(entry)} is no model with a list of models; it is not carried over.`);
      for (const [from, targets] of Object.entries(data ?? {})) {
        if (from === '*') for (const name of models.keys()) add(name, on, targets);
        else add(from, on, targets);
      }
    }
  }
  const defaults = z.array(z.string()).catch([]).parse(settings['default_fallbacks']);
  if (defaults.length > 0) for (const name of models.keys()) add(name, ['overload', 'error'], defaults);
}

function addModels({ model_list: list }: File, settings: Record<string, unknown>, rows: ImportedRows): ReadonlyMap<string, Model> {
  const models = new Map<string, Model>();
  for (const [place, entry] of list.entries()) {
    const { success, data, error } = listed.safeParse(entry);
    if (!success) {
      const [issue] = error.issues;
      rows.left(`model_list: entry ${place + 1}: ${[...(issue?.path ?? []), issue?.message].join(' ')}; it is not carried over.`);
      continue;
    }
    const { model_name: name, litellm_params: params, model_info: info } = data;
    if (name.includes('*')) {
      rows.left(`model_list: ${name}: a wildcard has no row here; name the models, or find them with POST /api/providers/discover.`);
      continue;
    }
    const made = deploymentOf(rows, name, params, info ?? {});
    if (made === null) continue;
    const model = models.get(name) ?? { operations: [], deployments: [] };
    models.set(name, model);
    model.deployments.push(made.deployment);
    if (!model.operations.includes(made.operation)) model.operations.push(made.operation);
    if (Object.keys(made.limits).length > 0) model.limits = { ...made.limits, ...model.limits };
  }
  const strategy = strategies[textOf(settings['routing_strategy']) || 'simple-shuffle'];
  if (strategy === undefined)
    rows.left(`router_settings.routing_strategy: "${textOf(settings['routing_strategy'])}" has no counterpart; models are weighted.`);
  const retries = settings['num_retries'];
  for (const model of models.values()) {
    if (strategy !== undefined && strategy !== 'weighted') model['strategy'] = strategy;
    if (typeof retries === 'number') model['retry'] = { same: Math.max(0, Math.min(5, Math.trunc(retries))) };
  }
  return models;
}

function addAliases(models: Map<string, Model>, alias: unknown, rows: ImportedRows): void {
  for (const [name, given] of Object.entries(members.catch({}).parse(alias))) {
    const target = typeof given === 'string' ? given : members.catch({}).parse(given)['model'];
    const model = models.get(textOf(target));
    if (model === undefined) rows.left(`router_settings.model_group_alias: ${name}: there is no model "${textOf(target)}".`);
    else models.set(name, structuredClone(model));
  }
}

function nameWhatIsLeft(given: File, rows: ImportedRows): void {
  const say = (path: string): void => rows.left(`${path}: not carried over${advice[path] === undefined ? '' : `; ${advice[path]}`}.`);
  for (const [section, value] of Object.entries(given)) {
    if (!usedSections.has(section)) say(section);
    else if (section.endsWith('_settings'))
      for (const key of Object.keys(value ?? {})) if (!usedSettings.has(key)) say(`${section}.${key}`);
  }
}

/** Throws an error with the field, or with the place in the text, for anything but such a file. `role` gets a grant of each model. */
export function importLiteLlm(text: string, role: string | null): Imported {
  // Pretty errors quote lines, which may hold keys.
  const parsed = file.safeParse(parse(text, { prettyErrors: false, merge: true }) ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'cannot be read'}`);
  }
  const rows = new ImportedRows();
  const settings = { ...parsed.data.litellm_settings, ...parsed.data.router_settings };
  const models = new Map(addModels(parsed.data, settings, rows));
  addAliases(models, settings['model_group_alias'], rows);
  addFallbacks(models, settings, rows);
  for (const [name, model] of models) rows.add('Model', name, model);
  addMcpServers(parsed.data.mcp_servers ?? {}, rows);
  nameWhatIsLeft(parsed.data, rows);
  return rows.result(role);
}
