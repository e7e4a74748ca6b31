/** Writes `docs/providers.md` from the code: sends requests to each provider and records what happens to each field. */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { createOutboundGuard } from '../src/outbound/guard.ts';
import type { ChatBody } from '../src/types/chat.ts';
import { GatewayError } from '../src/types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../src/types/json.ts';
import type { PluginServices, Provider, UpstreamCall } from '../src/types/plugin.ts';
import { type Operation, operations, type WireFormat } from '../src/types/wire-format.ts';
import { loadProviders, sampleProvider } from './provider-samples.ts';

const guard = createOutboundGuard({ allow: ['127.0.0.0/8'] });
const services = {
  mode: 'production',
  checkUrl: (url: string, param: string) => guard.checkUrl(url, param),
  fetch: () => Promise.reject(new Error('the page of providers fetches nothing')),
} as unknown as PluginServices;

const base = 'http://127.0.0.1:9/v1';
const tool = { type: 'function', function: { name: 'find', description: 'Finds.', parameters: { type: 'object', properties: {} } } };
const pixel = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** The tested fields, by the name of the column. */
const questions: readonly (readonly [column: string, field: string, body: JsonObject])[] = [
  ['tools', 'tools', { tools: [tool] }],
  ['forced tool', 'tool_choice', { tools: [tool], tool_choice: 'required' }],
  ['pictures', 'messages', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: pixel } }] }] }],
  ['thinking', 'reasoning_effort', { reasoning_effort: 'high' }],
  ['`n`', 'n', { n: 2 }],
  ['`logprobs`', 'logprobs', { logprobs: true }],
  ['`logit_bias`', 'logit_bias', { logit_bias: { 1: 1 } }],
  ['`seed`', 'seed', { seed: 7 }],
  ['penalties', 'presence_penalty', { presence_penalty: 0.5, frequency_penalty: 0.5 }],
  ['`stop`', 'stop', { stop: ['END'] }],
];

/** What happens to a JSON Schema in `response_format`, by the vendor's documentation. */
const schemaWays = { json_schema: 'native', json_object: 'JSON mode', none: 'words' } as const;

function schemaRow(kind: string, { structuredOutput }: Provider): string {
  if (structuredOutput === undefined) return `| \`${kind}\` | ${schemaWays.json_schema} | | none looked for |`;
  const { usual, models: named = {}, source } = structuredOutput;
  const others = Object.entries(named).map(([model, way]) => `\`${model}\`: ${schemaWays[way]}`);
  const page = source === null ? 'none found' : `[${new URL(source).hostname}](${source})`;
  return `| \`${kind}\` | ${schemaWays[usual]} | ${others.join('; ')} | ${page} |`;
}

/** Behaviour may depend on the model's name, so a capable model represents each vendor. */
const models: Readonly<Record<string, string>> = {
  anthropic: 'claude-opus-4-5',
  bedrock: 'anthropic.claude-opus-4-5-20251101-v1:0',
  gemini: 'gemini-3-pro-preview',
  dashscope: 'qwen3-vl-plus',
};

type Outcome = 'yes' | 'left out' | 'refused';
const marks: Readonly<Record<Outcome, string>> = { yes: '✓', 'left out': '–', refused: '✗' };

/** The body that the vendor would receive for `more` with the warnings, or an error. */
function encode(provider: Provider, format: WireFormat, more: JsonObject): { sent: string; warnings: string[] } | GatewayError {
  const warnings: string[] = [];
  const warn = (note: string): void => void warnings.push(note);
  const model = models[provider.formats.chat ?? ''] ?? 'model';
  const call: UpstreamCall = { operation: 'chat', model, stream: false, warn };
  const body = { model: 'public', messages: [{ role: 'user', content: 'Hello' }], ...more } as unknown as ChatBody;
  const adjust = provider.adjust?.bind(provider);
  try {
    const target = {
      model,
      stream: false,
      vendor: 'vendor',
      warn,
      ...(adjust === undefined ? {} : { adjust: (given: JsonObject) => adjust(given, call) }),
    };
    return { sent: String(format.chat?.encodeRequest({ body }, target)), warnings };
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === 'unsupported_parameter') return thrown;
    throw thrown;
  }
}

function ask(provider: Provider, format: WireFormat, field: string, more: JsonObject): Outcome {
  const outcome = encode(provider, format, more);
  if (outcome instanceof GatewayError) return 'refused';
  if (outcome.warnings.some((note) => note.includes(`${field} left out`) || note.includes('left out'))) return 'left out';
  const plain = encode(provider, format, {});
  if (!(plain instanceof GatewayError) && plain.sent === outcome.sent)
    throw new Error(`${field} vanished without a word: ${outcome.sent.slice(0, 200)}`);
  return 'yes';
}

const titles: Readonly<Record<Operation, string>> = {
  chat: 'chat',
  embeddings: 'embeddings',
  rerank: 'rerank',
  images: 'pictures',
  transcriptions: 'transcriptions',
  speech: 'speech',
};

function addressOf(options: Json | undefined): string | null {
  const given = isJsonObject(options) && isJsonObject(options['properties']) ? options['properties']['base_url'] : undefined;
  const address = isJsonObject(given) ? given['default'] : undefined;
  return typeof address === 'string' ? address : null;
}

const head = `# Providers

<!-- Written by \`npm run docs\`, which runs each provider on sample requests; a test fails when the two differ. -->

A provider is one row: its \`kind\` from this table and its options (\`api_key\`, often \`base_url\`; \`GET /docs\` shows them all). Whatever the vendor,
callers speak one format: OpenAI's chat completions, responses, or Anthropic's messages. A field that a vendor does not support is never dropped silently:

- **✓** sent to the vendor, in its own format. Fields that Pailou does not know are passed unchanged.
- **–** omitted, because the answer is still valid without it; reported in the header \`x-pailou-warnings\`.
- **✗** refused with status 400 and code \`unsupported_parameter\`, which names the field and the vendor, because the answer would be wrong without it.

`;

/** The rows of the page's tables, which both languages share, and the kinds that support prefill. */
export interface ProviderTables {
  readonly kinds: readonly {
    readonly kind: string;
    readonly title: string;
    readonly address: string | null;
    readonly format: string;
    readonly operations: readonly Operation[];
  }[];
  readonly columns: readonly string[];
  readonly features: readonly string[];
  readonly schemas: readonly string[];
  readonly prefill: readonly string[];
}

/** Collects the tables from all providers. */
export async function providerTables(): Promise<ProviderTables> {
  const registry = await loadProviders(services);
  const kinds = registry.list('provider').filter(({ kind }) => kind !== 'demo');
  const rows: ProviderTables['kinds'][number][] = [];
  const features: string[] = [];
  const prefill: string[] = [];
  const schemas: string[] = [];
  for (const { kind, title } of kinds.toSorted((one, other) => (one.kind < other.kind ? -1 : 1))) {
    const { plugin, provider } = await sampleProvider(registry, kind, base, services);
    const done = operations.filter((operation) => provider.formats[operation] !== undefined);
    const address = addressOf(z.toJSONSchema(plugin.options, { io: 'input' }) as unknown as Json);
    if (provider.prefill?.(models[provider.formats.chat ?? ''] ?? 'model') !== undefined) prefill.push(`\`${kind}\``);
    rows.push({
      kind,
      title,
      address,
      format: [provider.formats.chat ?? '', ...(provider.otherChatFormats ?? [])].join('`, `'),
      operations: done,
    });
    schemas.push(schemaRow(kind, provider));
    const format = registry.instance('format', provider.formats.chat ?? '');
    if (format === undefined) throw new Error(`${kind} names the format ${provider.formats.chat}, which is not there`);
    features.push(`| \`${kind}\` | ${questions.map(([, field, body]) => marks[ask(provider, format, field, body)]).join(' | ')} |`);
  }
  return { kinds: rows, columns: questions.map(([column]) => column), features, schemas, prefill };
}

/** The complete expected page. */
export async function providersPage(): Promise<string> {
  const { kinds, columns, features, schemas, prefill } = await providerTables();
  const reach = kinds.map(({ kind, title, address, format, operations: done }) => {
    const does = done.map((operation) => titles[operation]).join(', ');
    return `| \`${kind}\` | ${title} | ${address === null ? 'your own' : `\`${address}\``} | \`${format}\` | ${does} |`;
  });
  return [
    head,
    '| kind | vendor | address | format | does |\n|---|---|---|---|---|',
    ...reach,
    '\n## Support by field\n',
    `| kind | ${columns.join(' | ')} |\n|---|${columns.map(() => '---').join('|')}|`,
    ...features,
    '',
    '\n## JSON Schemas\n',
    'The handling of `response_format` with `json_schema`, by the documentation of each vendor (for three of them by a survey, as the source notes). A model may differ: its row in the catalogue ([catalogue.md](catalogue.md)) counts before this table,',
    'and `structured_output` on the row of the provider or of the deployment before both (`json_schema`, `json_object` or `none`). Claude before 4.5 (Opus before 4.1) gets the schema in the prompt.',
    '',
    '- **native**: the vendor enforces the schema.',
    '- **JSON mode**: the request asks for JSON with the schema in the prompt, and Pailou validates the answer.',
    '- **words**: the same without `response_format`, which the vendor would refuse.',
    '',
    'When the vendor does not enforce the schema, Pailou appends it to the system message and holds the answer until it is valid, streamed or not. An invalid answer is returned to the model with the',
    'fault, at most twice; then another deployment is tried, and finally the call ends with `output_invalid` and the best attempt. Each repair is an attempt in the ledger, and all tokens are in the usage. The header',
    '`x-pailou-warnings` reports the check. Tool calls, refusals, and answers that were cut at their limit are not checked. With `n` above 1 there are no repairs. Skills check their answers themselves.\n',
    '| kind | a JSON Schema | models for which it is otherwise | source |\n|---|---|---|---|',
    ...schemas,
    '',
    'A model may support less than its vendor: if one model accepts no images, that vendor answers with its own error.',
    'Reasoning that a vendor writes into the text, between `<think>` and `</think>`, is separated from it where `think_tags` of the provider or the deployment is true (the default of `llamacpp`, `lmstudio`, `minimax`, `sglang`, `vllm` and `xinference`).',
    'The template of some models, such as DeepSeek R1 and QwQ, ends the prompt with `<think>`, so that only `</think>` is in the text. A complete answer is still separated. A stream needs `"think_tags": "unopened"`: its text is reasoning until `</think>`. Use it only for models that always think.',
    'For models that only stream, Pailou requests a stream and buffers it: the option `stream_only` of the provider, or `always_stream` of a deployment.',
    "A vendor with `openai-responses` in the first table also has OpenAI's Responses API. A deployment uses it when its `api` is `responses`, when the catalogue lists the model only with this API, or when",
    "the provider's `responses_models` names it; clients see no difference, in any client format. `n`, `stop` and `logit_bias` are refused there by name, because that API lacks them.",
    'A request that came in the Responses format is sent there as its caller wrote it, with custom and hosted tools, encrypted reasoning and `prompt_cache_key`; xAI, DeepSeek and Zhipu get what they lack as functions.',
    `Some models support prefill: they continue the given beginning of an answer (the option \`prefill\` of a deployment, docs/routing.md), at ${prefill.join(', ')}:`,
    'DeepSeek only at the address that ends in `/beta`, Claude only before 4.6, Qwen and Doubao only without thinking.\n',
  ].join('\n');
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/providers.md', import.meta.url), await providersPage());
  console.log('docs/providers.md written');
}
