/** Reads the database of new-api (and of one-api, from which it comes): channels, prices and groups. Source: model/channel.go and model/option.go of new-api */
import type { ExternalDatabase } from '../../storage/external/external-database.ts';
import { type Imported, ImportedRows, rowName, textOf } from './imported.ts';
import { type Prices, priceOf } from './new-api-prices.ts';
import { type ChannelVendor, channelVendors, otherChannels } from './new-api-channels.ts';

const mostRows = 10_000;
const mostDeployments = 64;
const mostWeight = 1_000_000;

interface Channel {
  readonly type: number;
  readonly name: string;
  readonly keys: readonly string[];
  readonly enabled: boolean;
  readonly weight: number;
  readonly priority: number;
  readonly baseUrl: string;
  readonly other: string;
  readonly models: readonly string[];
  readonly groups: readonly string[];
  readonly mapping: Readonly<Record<string, unknown>>;
}

const columns = ['type', 'name', 'key', 'status', 'weight', 'priority', 'base_url', 'other', 'models', 'group', 'model_mapping'] as const;

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

/** Empty for no text; `unreadable` is called for a text that is no JSON object. */
function jsonOf(text: string, unreadable: () => void): Readonly<Record<string, unknown>> {
  if (['', 'null', '[]'].includes(text.trim())) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Invalid JSON is reported like JSON of another type.
  }
  unreadable();
  return {};
}

function channelOf(row: readonly unknown[], rows: ImportedRows): Channel {
  const [type, name, key, status, weight, priority, baseUrl, other, models, group, mapping] = row.map(textOf);
  return {
    type: Number(type),
    name: name ?? '',
    // A channel may hold several keys, one a line.
    keys: (key ?? '')
      .split('\n')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
    enabled: status === '1',
    weight: Number(weight ?? 0),
    priority: Number(priority ?? 0),
    baseUrl: (baseUrl ?? '').replace(/\/+$/, ''),
    other: other ?? '',
    models: listOf(models ?? ''),
    groups: listOf(group ?? ''),
    mapping: jsonOf(mapping ?? '', () =>
      rows.left(`channel "${name ?? ''}": its model_mapping is no JSON object; its models keep their names.`),
    ),
  };
}

function optionsOf(
  { type, baseUrl, other }: Channel,
  vendor: ChannelVendor,
  key: string,
  name: string,
  rows: ImportedRows,
): Record<string, unknown> {
  if (vendor.kind === 'bedrock') {
    const [access = '', secret = '', region = ''] = key.split('|');
    return { region, access_key_id: access, secret_access_key: rows.secret(secret, `${rowName(name, vendor.kind)}_secret_access_key`) };
  }
  const api_key = key === '' ? undefined : rows.secret(key, `${rowName(name, vendor.kind)}_api_key`);
  const address = baseUrl === '' ? vendor.address : baseUrl;
  const full = address === undefined ? undefined : type === 8 && /\/v\d+$/.test(address) ? address : `${address}${vendor.path ?? ''}`;
  return {
    ...(full === undefined ? {} : { base_url: full }),
    ...(api_key === undefined ? {} : { api_key }),
    ...(vendor.kind === 'azure' && other !== '' ? { api_version: other } : {}),
  };
}

/** Why no provider can be made of a channel; null when one can. */
function faultOf({ baseUrl, keys }: Channel, { kind }: ChannelVendor): string | null {
  if (baseUrl !== '' && !/^https?:\/\/[^/]/.test(baseUrl)) return `its address "${baseUrl.slice(0, 100)}" is none of http:// or https://`;
  const isWhole = (key: string): boolean => /^[^|]+\|[^|]+\|[a-z0-9-]+$/.test(key);
  if (kind === 'bedrock' && !(keys.length > 0 && keys.every(isWhole))) return 'its key is not of the form access key|secret key|region';
  return null;
}

/** Enabled deployments of the first tiers are kept where there are too many. */
function mostUseful<D extends { readonly enabled?: unknown; readonly tier?: unknown }>(deployments: readonly D[]): readonly D[] {
  if (deployments.length <= mostDeployments) return deployments;
  const order = ({ enabled, tier }: D): number => (enabled === false ? 1_000 : 0) + Number(tier ?? 0);
  const kept = new Set(deployments.toSorted((one, other) => order(one) - order(other)).slice(0, mostDeployments));
  return deployments.filter((each) => kept.has(each));
}

/** Kinds of providers that may have no key. */
const withoutKey: ReadonlySet<string> = new Set(['ollama', 'xinference', 'openai-compatible']);

/** The members that are numbers; names the others. */
function numbersOf(option: string, members: Readonly<Record<string, unknown>>, rows: ImportedRows): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {};
  for (const [name, value] of Object.entries(members)) {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) numbers[name] = number;
    else rows.left(`options ${option}: "${name}" is no number; it is not carried over.`);
  }
  return numbers;
}

async function optionsIn(database: ExternalDatabase): Promise<ReadonlyMap<string, string>> {
  const found = await database.rows(`select ${database.quote('key')}, value from options`, [], mostRows);
  return new Map(found.map(([key, value]) => [textOf(key), textOf(value)]));
}

/** The tables whose rows stay, with what replaces them. */
const otherTables = {
  users: 'people come from your OAuth2 service with their first token',
  tokens: 'keys belong to people, who make new ones with POST /api/keys',
  redemptions: 'there is no counterpart; limits of spend take their place, docs/limits.md',
} as const;

async function nameOtherTables(database: ExternalDatabase, rows: ImportedRows): Promise<void> {
  for (const [table, advice] of Object.entries(otherTables)) {
    const [row] = await database.rows(`select count(*) from ${table}`, [], mostRows).catch(() => []);
    const count = Number(row?.[0] ?? 0);
    if (count > 0) rows.left(`${table}: ${count} rows are not carried over; ${advice}.`);
  }
}

/** Rejects when the database has no channels of new-api. `role` gets a grant of each model. */
export async function importNewApi(database: ExternalDatabase, role: string | null): Promise<Imported> {
  const rows = new ImportedRows();
  const stored = await database.rows(`select ${columns.map(database.quote).join(', ')} from channels order by id`, [], mostRows);
  const channels = stored.map((row) => channelOf(row, rows));
  const options = await optionsIn(database).catch(() => new Map<string, string>());
  const json = (key: string): Readonly<Record<string, unknown>> =>
    numbersOf(
      key,
      jsonOf(options.get(key) ?? '', () => rows.left(`options ${key}: is no JSON object; none of its numbers is carried over.`)),
      rows,
    );
  const prices: Prices = {
    ratios: json('ModelRatio'),
    completion: json('CompletionRatio'),
    cache: json('CacheRatio'),
    perCall: json('ModelPrice'),
  };
  if (Object.values(json('GroupRatio')).some((ratio) => ratio !== 1))
    rows.left('options GroupRatio: prices per group: not carried over; costs are those of the vendor.');
  const tiers = [...new Set(channels.map(({ priority }) => priority))].toSorted((one, other) => other - one);
  const models = new Map<string, { readonly deployments: Record<string, unknown>[]; readonly groups: Set<string> }>();
  for (const channel of channels) {
    const vendor = channelVendors[channel.type];
    if (vendor === undefined) {
      rows.left(`channel "${channel.name}": ${otherChannels[channel.type] ?? `type ${channel.type}`} has no kind of provider here.`);
      continue;
    }
    const isOther = vendor.kind === 'openai' && channel.baseUrl !== '' && !channel.baseUrl.startsWith('https://api.openai.com');
    const used = isOther ? { ...vendor, kind: 'openai-compatible' } : vendor;
    const fault = faultOf(channel, used);
    if (fault !== null) {
      rows.left(`channel "${channel.name}": ${fault}.`);
      continue;
    }
    if (channel.weight > mostWeight) rows.left(`channel "${channel.name}": its weight ${channel.weight} becomes ${mostWeight}.`);
    if (channel.keys.length === 0 && !withoutKey.has(used.kind))
      rows.left(`channel "${channel.name}": it has no key; give its provider one before you apply the documents.`);
    for (const key of channel.keys.length === 0 ? [''] : channel.keys) {
      const provider = rows.provider(channel.name, used.kind, optionsOf(channel, used, key, channel.name, rows));
      for (const model of channel.models) {
        const entry = models.get(model) ?? { deployments: [], groups: new Set<string>() };
        models.set(model, entry);
        for (const group of channel.groups) entry.groups.add(group);
        const price = priceOf(model, prices, (member) =>
          rows.left(`model "${model}": its price ${member} is no amount from 10^-15 to 10^12.`),
        );
        entry.deployments.push({
          provider,
          model: textOf(channel.mapping[model]) || model,
          // Equal weights are stored as zeros.
          ...(channel.weight > 0 ? { weight: Math.min(channel.weight, mostWeight) } : {}),
          ...(tiers.length > 1 ? { tier: Math.min(tiers.indexOf(channel.priority), 100) } : {}),
          ...(channel.enabled ? {} : { enabled: false }),
          ...(price === null ? {} : { price }),
        });
      }
    }
  }
  for (const [model, { deployments, groups }] of models) {
    if (deployments.length > mostDeployments)
      rows.left(
        `model "${model}": ${deployments.length - mostDeployments} of its channels, disabled ones and those of the last tiers first: a model has at most ${mostDeployments}.`,
      );
    const name = rows.add('Model', model, { operations: [operationOf(model)], deployments: mostUseful(deployments) });
    for (const group of groups) rows.grant(group === 'default' ? 'user' : group, name);
  }
  const groups = new Set([...models.values()].flatMap((entry) => [...entry.groups]).filter((group) => group !== 'default'));
  if (groups.size > 0)
    rows.left(`groups: grants name the roles ${[...groups].join(', ')}, which the tokens of your OAuth2 service must hold.`);
  await nameOtherTables(database, rows);
  return rows.result(role);
}

/** new-api derives it from the name too. */
function operationOf(model: string): string {
  if (/embed|bge-(?!reranker)|m3e/i.test(model)) return 'embeddings';
  if (/rerank/i.test(model)) return 'rerank';
  if (/^dall-e|^gpt-image|^cogview|^flux|^wanx|^stable-diffusion/i.test(model)) return 'images';
  if (/^whisper|transcribe/i.test(model)) return 'transcriptions';
  if (/^tts-|-tts/i.test(model)) return 'speech';
  return 'chat';
}
