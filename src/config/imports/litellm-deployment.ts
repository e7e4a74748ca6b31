/** One entry of LiteLLM's `model_list`: its provider and its deployment. */
import { brief, type ImportedRows, placesOfOthers, placesPerMillion, priceAmount, shifted, textOf } from './imported.ts';
import { type LiteLlmVendor, liteLlmVendors, vendorOfBareName } from './litellm-vendors.ts';

type Members = Readonly<Record<string, unknown>>;

export interface ImportedDeployment {
  readonly deployment: Record<string, unknown>;
  /** The operation of the model by `model_info.mode`. */
  readonly operation: string;
  readonly limits: Record<string, unknown>;
}

const modes: Readonly<Record<string, string>> = {
  chat: 'chat',
  completion: 'chat',
  responses: 'chat',
  embedding: 'embeddings',
  rerank: 'rerank',
  image_generation: 'images',
  audio_transcription: 'transcriptions',
  audio_speech: 'speech',
};

/** The members of `litellm_params` and `model_info` that are used; the others are named as left. */
const usedParams: ReadonlySet<string> = new Set([
  'model', 'api_key', 'api_base', 'base_url', 'api_version', 'organization', 'rpm', 'tpm', 'max_parallel_requests', 'weight', 'order', 'timeout',
  'stream_timeout', 'custom_llm_provider', 'aws_region_name', 'aws_access_key_id', 'aws_secret_access_key', 'aws_session_token',
  'vertex_project', 'vertex_location', 'vertex_credentials', 'extra_headers',
  'input_cost_per_token', 'output_cost_per_token', 'cache_read_input_token_cost', 'cache_creation_input_token_cost',
  'input_cost_per_second', 'output_cost_per_image', 'input_cost_per_query', 'input_cost_per_character',
]); // prettier-ignore

/** A price per token is one per million tokens here. */
const rates: readonly (readonly [theirs: string, ours: string, power: 6 | 0])[] = [
  ['input_cost_per_token', 'input', 6],
  ['output_cost_per_token', 'output', 6],
  ['cache_read_input_token_cost', 'cached_input', 6],
  ['cache_creation_input_token_cost', 'cache_write', 6],
  ['input_cost_per_second', 'per_second', 0],
  ['output_cost_per_image', 'per_picture', 0],
  ['input_cost_per_query', 'per_search', 0],
  ['input_cost_per_character', 'per_character', 0],
];

/** A value of the file: a variable by `os.environ/NAME`, or the value itself. */
function valueOf(rows: ImportedRows, value: unknown): unknown {
  const variable = typeof value === 'string' ? /^os\.environ\/(\w+)$/.exec(value)?.[1] : undefined;
  return variable === undefined ? value : rows.variable(variable);
}

/** A reference to the secret; undefined where the file has none. */
export function secretOf(rows: ImportedRows, value: unknown, wanted: string): string | undefined {
  const known = valueOf(rows, value);
  if (typeof known !== 'string' || known === '') return undefined;
  return known === value ? rows.secret(known, wanted) : known;
}

function priceOf(rows: ImportedRows, name: string, members: Members): Record<string, string> | null {
  const price: Record<string, string> = {};
  for (const [theirs, ours, power] of rates) {
    const given = members[theirs];
    if (given === undefined || given === null) continue;
    const exact = shifted(given, power);
    const amount = exact === null ? null : priceAmount(exact, power === 6 ? placesPerMillion : placesOfOthers);
    if (amount === null)
      rows.left(`model_list: ${name}: ${theirs}: ${brief(given)} is no amount from 10^-15 to 10^12; the model has no such price.`);
    else price[ours] = amount;
  }
  return Object.keys(price).length === 0 ? null : { currency: 'USD', ...price };
}

const present = (members: Members): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));

const isOpenAi = (address: unknown): boolean => address === undefined || /^https:\/\/api\.openai\.com(\/|$)/.test(textOf(address));

/** Headers of a vendor may hold its key. */
function headersOf(rows: ImportedRows, headers: unknown, prefix: string): Record<string, string | undefined> | null {
  if (typeof headers !== 'object' || headers === null) return null;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secretOf(rows, textOf(value), `${prefix}_${name}`)]));
}

function providerOptions(rows: ImportedRows, vendor: LiteLlmVendor, params: Members, prefix: string): Record<string, unknown> {
  const address = valueOf(rows, params['api_base'] ?? params['base_url']) ?? vendor.address;
  const given = secretOf(rows, params['api_key'], `${prefix}_api_key`);
  const key = given ?? (vendor.key === undefined ? undefined : rows.variable(vendor.key));
  switch (vendor.kind) {
    case 'bedrock':
      return present({
        region: valueOf(rows, params['aws_region_name']),
        api_key: given,
        access_key_id: valueOf(rows, params['aws_access_key_id']),
        secret_access_key: secretOf(rows, params['aws_secret_access_key'], 'aws_secret_access_key'),
        session_token: secretOf(rows, params['aws_session_token'], 'aws_session_token'),
      });
    case 'vertex': {
      const credentials = params['vertex_credentials'];
      const isPath = typeof credentials === 'string' && credentials.startsWith('/');
      return present({
        project: valueOf(rows, params['vertex_project']) ?? rows.variable('VERTEXAI_PROJECT'),
        location: valueOf(rows, params['vertex_location']),
        service_account: isPath ? rows.file(credentials) : secretOf(rows, credentials, 'vertex_credentials'),
      });
    }
    case 'azure':
      return present({
        base_url: address ?? rows.variable('AZURE_API_BASE'),
        api_version: valueOf(rows, params['api_version']),
        api_key: key,
      });
    default: {
      const headers = headersOf(rows, params['extra_headers'], prefix);
      return present({
        base_url: address,
        api_key: key,
        ...(vendor.kind === 'openai' ? { organization: valueOf(rows, params['organization']) } : {}),
        ...(headers !== null && !['anthropic', 'gemini', 'ollama', 'openai'].includes(vendor.kind) ? { headers } : {}),
      });
    }
  }
}

const count = (value: unknown): number | undefined => (Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined);
const milliseconds = (seconds: unknown): number | undefined =>
  typeof seconds === 'number' && seconds > 0 ? Math.round(seconds * 1000) : undefined;

/** Null when the vendor has no counterpart here; the reason is among what is left. */
export function deploymentOf(rows: ImportedRows, name: string, params: Members, info: Members): ImportedDeployment | null {
  const given = textOf(params['model']);
  const custom = params['custom_llm_provider'];
  const slash = given.indexOf('/');
  const head = slash === -1 ? '' : given.slice(0, slash);
  const isKnown = Object.hasOwn(liteLlmVendors, head);
  const prefix = typeof custom === 'string' ? custom : isKnown ? head : (vendorOfBareName(given) ?? head);
  let vendor = Object.hasOwn(liteLlmVendors, prefix) ? liteLlmVendors[prefix] : undefined;
  if (vendor === undefined) {
    rows.left(`model_list: ${name}: "${given}": no kind of provider here stands for ${prefix === '' ? 'this model' : `"${prefix}"`}.`);
    return null;
  }
  let model = isKnown && head === prefix ? given.slice(slash + 1) : given;
  if (model.includes('*')) {
    rows.left(`model_list: ${name}: a wildcard has no row here; name the models, or find them with POST /api/providers/discover.`);
    return null;
  }
  const address = params['api_base'] ?? params['base_url'];
  if (vendor.kind === 'openai' && !isOpenAi(address)) vendor = { kind: 'openai-compatible' };
  if (vendor.kind === 'openai-compatible' && address === undefined && vendor.address === undefined) {
    rows.left(`model_list: ${name}: "${given}" has no api_base, which names the address of its vendor.`);
    return null;
  }
  if (vendor.kind === 'bedrock') model = model.replace(/^(converse|invoke)\//, '');
  const unused = Object.keys(params).filter((key) => !usedParams.has(key));
  if (unused.length > 0) rows.left(`model_list: ${name}: litellm_params ${unused.join(', ')}: callers send these with each call.`);
  const price = priceOf(rows, name, { ...info, ...params });
  const limits = present({
    requests_per_minute: count(params['rpm']),
    tokens_per_minute: count(params['tpm']),
    concurrency: count(params['max_parallel_requests']),
  });
  return {
    deployment: present({
      provider: rows.provider(prefix.replaceAll('_', '-'), vendor.kind, providerOptions(rows, vendor, params, prefix)),
      model,
      weight: count(params['weight']),
      tier: count(params['order']),
      api: info['mode'] === 'responses' ? 'responses' : undefined,
      price,
      limits: Object.keys(limits).length === 0 ? undefined : limits,
    }),
    operation: modes[textOf(info['mode'])] ?? 'chat',
    limits: present({ total_ms: milliseconds(params['timeout']), first_token_ms: milliseconds(params['stream_timeout']) }),
  };
}
