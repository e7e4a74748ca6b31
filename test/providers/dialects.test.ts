/** Each vendor of OpenAI's format: the effect of its dialect on a request with every field. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Dialect } from '../../src/providers/compatible/dialect.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import { GatewayError } from '../../src/types/errors.ts';
import { isJsonObject, type JsonObject } from '../../src/types/json.ts';
import type { Plugin, PluginServices, Provider, UpstreamCall } from '../../src/types/plugin.ts';

const folder = join(import.meta.dirname, '../../src/providers');
type Vendor = Plugin<'provider'> & { readonly dialect: Dialect };
const vendors = new Map<string, Vendor>();
const guard = createOutboundGuard({ allow: ['127.0.0.0/8'] });
const services = { checkUrl: (url, param) => guard.checkUrl(url, param) } as PluginServices;

beforeAll(async () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const { default: plugin } = (await import(join(folder, file))) as { default: Vendor };
    if (isJsonObject(plugin.dialect)) vendors.set(plugin.kind, plugin);
  }
});

async function make(kind: string): Promise<{ provider: Provider; dialect: Dialect }> {
  const plugin = vendors.get(kind);
  if (plugin === undefined) throw new Error(`no vendor ${kind}`);
  const base = plugin.dialect.baseUrl === null ? { base_url: 'http://127.0.0.1:9/v1' } : {};
  const provider = await plugin.create(plugin.options.parse({ api_key: 'key', ...base }), services);
  return { provider, dialect: plugin.dialect };
}

const question = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

/** The body for the vendor and the warnings; or the error. */
async function adjust(kind: string, body: JsonObject, model = 'm'): Promise<{ body: JsonObject; warnings: string[] }> {
  const { provider } = await make(kind);
  const warnings: string[] = [];
  const call: UpstreamCall = { operation: 'chat', model, stream: false, warn: (note) => void warnings.push(note) };
  const whole = { ...question, ...body };
  if (provider.adjusts?.(whole, call) === false) return { body: whole, warnings };
  return { body: provider.adjust?.(whole, call) ?? whole, warnings };
}

it('are all tested', () => {
  expect([...vendors.keys()].toSorted()).toEqual(
    (
      'azure cohere deepseek doubao fireworks groq hunyuan llamacpp lmstudio minimax mistral moonshot ollama-openai openai openai-compatible ' +
      'openrouter qianfan qwen sglang siliconflow stepfun together vllm xai xinference zhipu'
    ).split(' '),
  );
});

/** Each field is kept, dropped with a warning, or refused by name. */
function isAccountedFor(field: string, outcome: unknown): boolean {
  if (outcome instanceof GatewayError) return outcome.code === 'unsupported_parameter' && outcome.param === field;
  const { body, warnings } = outcome as { body: JsonObject; warnings: string[] };
  const kept = field === 'reasoning_effort' ? Object.keys(body).length > 2 : body[field] !== undefined;
  return kept || warnings.some((note) => note.startsWith(field));
}

describe('every vendor', () => {
  it('keeps a plain question and unknown fields unchanged', async () => {
    for (const [kind, { dialect }] of vendors) {
      const plain = { temperature: 0.7, top_p: 0.9, tools: [{ type: 'function' }], odd_field: { a: [1] }, stream: true };
      expect(await adjust(kind, plain), kind).toEqual({ body: { ...dialect.sets, ...question, ...plain }, warnings: [] });
    }
  });

  it('never drops a field silently: each one is kept, dropped with a warning, or refused by name', async () => {
    const everything: JsonObject = {
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { 5: 1 },
      presence_penalty: 0.5,
      frequency_penalty: 0.5,
      seed: 7,
      user: 'me',
      parallel_tool_calls: false,
      service_tier: 'flex',
      store: true,
      metadata: { a: 'b' },
      prediction: { type: 'content', content: 'x' },
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'mp3' },
      web_search_options: { search_context_size: 'low' },
      verbosity: 'low',
      prompt_cache_key: 'k',
      safety_identifier: 's',
      reasoning_effort: 'high',
    };
    for (const kind of vendors.keys()) {
      for (const [field, value] of Object.entries(everything)) {
        const where = `${kind}: ${field}`;
        const outcome: unknown = await adjust(kind, { [field]: value }).catch((thrown: unknown) => thrown);
        expect(isAccountedFor(field, outcome), where).toBe(true);
      }
    }
  });

  it('accepts fields with default values without a warning', async () => {
    const nothing = { n: 1, logprobs: false, logit_bias: {}, presence_penalty: 0, parallel_tool_calls: true, seed: null };
    for (const kind of vendors.keys()) expect((await adjust(kind, nothing)).warnings, kind).toEqual([]);
  });

  it('maps reasoning_effort, on and off', async () => {
    for (const [kind, { dialect }] of vendors) {
      if (dialect.thinking === undefined || dialect.thinking.by === 'none') continue;
      const on = (await adjust(kind, { reasoning_effort: 'high' })).body;
      const off = (await adjust(kind, { reasoning_effort: 'none' })).body;
      expect(JSON.stringify(on), kind).not.toBe(JSON.stringify(question));
      expect(JSON.stringify(on), kind).not.toBe(JSON.stringify(off));
    }
  });

  it('has addresses below its base for each operation, and requires its key', async () => {
    for (const kind of vendors.keys()) {
      const { provider, dialect } = await make(kind);
      expect(Object.keys(provider.formats).toSorted(), kind).toEqual([...dialect.operations].toSorted());
      for (const operation of dialect.operations) {
        const call: UpstreamCall = { operation, model: 'm', stream: false, warn: () => {} };
        expect(new URL(provider.address(call)).protocol, kind).toMatch(/^https?:$/);
        const headers: Record<string, string> = {};
        await provider.authorize(headers, call, { method: 'POST', url: '', body: '' });
        expect(JSON.stringify(headers), kind).toContain('key');
      }
      const { options } = vendors.get(kind) as Vendor;
      const goesWithoutKey = dialect.keyless === true || kind === 'azure';
      expect(options.safeParse({ base_url: 'https://x.example/v1' }).success, kind).toBe(goesWithoutKey);
      expect(options.safeParse({ api_key: 'k', base_url: 'ftp://x' }).success, kind).toBe(false);
    }
  });
});

describe('rules of single vendors', () => {
  it.each([
    ['zhipu', { max_completion_tokens: 5 }, { max_tokens: 5 }],
    ['zhipu', { reasoning_effort: 'low' }, { thinking: { type: 'enabled' }, reasoning_effort: 'low' }],
    ['zhipu', { reasoning_effort: 'max', thinking: { type: 'enabled' } }, { thinking: { type: 'enabled' }, reasoning_effort: 'max' }],
    ['zhipu', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['zhipu', { reasoning_effort: 'low', thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }],
    ['zhipu', { tool_choice: 'none', tools: [{ type: 'function' }] }, { tool_choice: undefined, tools: undefined }],
    ['zhipu', { stream_options: { include_usage: true } }, { stream_options: undefined }],
    ['qwen', { reasoning_effort: 'medium' }, { enable_thinking: true, thinking_budget: 8192 }],
    ['qwen', { reasoning_effort: 'none' }, { enable_thinking: false, thinking_budget: undefined }],
    ['qwen', { reasoning_effort: 'high', thinking_budget: 9 }, { enable_thinking: true, thinking_budget: 9 }],
    ['xai', { reasoning_effort: 'xhigh' }, { reasoning_effort: 'high' }],
    ['vllm', { reasoning_effort: 'none' }, { chat_template_kwargs: { enable_thinking: false, thinking: false } }],
    ['openrouter', { reasoning_effort: 'high' }, { reasoning: { effort: 'high' } }],
    ['openrouter', { reasoning_effort: 'none' }, { reasoning: { enabled: false } }],
    ['deepseek', { reasoning_effort: 'high' }, { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
    ['deepseek', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['minimax', { reasoning_effort: 'low' }, { thinking: { type: 'adaptive' }, reasoning_split: true }],
    ['hunyuan', { reasoning_effort: 'medium' }, { thinking: { type: 'enabled' }, reasoning_effort: 'low' }],
    ['doubao', { reasoning_effort: 'max' }, { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
  ])('%s maps %j to %j', async (kind, given, wanted) => {
    expect((await adjust(kind, given as JsonObject)).body).toEqual({ ...question, ...wanted });
  });

  it('Zhipu: ranges are smaller, and the caller gets a warning', async () => {
    const { body, warnings } = await adjust('zhipu', { temperature: 1.7 });
    expect(body['temperature']).toBe(1);
    expect(warnings).toEqual(['temperature is 1: zhipu takes 0 to 1']);
  });

  it('Zhipu: a forced tool is refused by name, lists of text become one text, the developer role becomes system', async () => {
    await expect(adjust('zhipu', { tool_choice: 'required' })).rejects.toMatchObject({ param: 'tool_choice' });
    const { body } = await adjust('zhipu', {
      messages: [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'c' },
            { type: 'image_url', image_url: { url: 'https://x.example/y.png' } },
          ],
        },
        { role: 'tool', tool_call_id: '1', content: [{ type: 'text', text: 'd' }] },
      ],
    });
    expect(body['messages']).toEqual([
      { role: 'system', content: 'a\nb' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'c' },
          { type: 'image_url', image_url: { url: 'https://x.example/y.png' } },
        ],
      },
      { role: 'tool', tool_call_id: '1', content: 'd' },
    ]);
  });

  it('OpenAI: reasoning models get max_completion_tokens, others are unchanged', async () => {
    expect((await adjust('openai', { max_tokens: 5 }, 'gpt-5-mini')).body).toMatchObject({ max_completion_tokens: 5 });
    expect((await adjust('openai', { max_tokens: 5 }, 'gpt-4o')).body).toMatchObject({ max_tokens: 5 });
  });

  it('OpenAI: models that think refuse sampling and stop sequences, which are left out with a warning', async () => {
    const { body, warnings } = await adjust('openai', { temperature: 0.2, top_p: 1, stop: ['a'] }, 'gpt-5-mini');
    expect(body).toEqual({ ...question, model: 'm' });
    expect(warnings).toEqual(['temperature left out: openai has none', 'stop left out: openai has none']);
    expect((await adjust('openai', { temperature: 0.2 }, 'gpt-5-chat-latest')).body).toMatchObject({ temperature: 0.2 });
  });

  it.each([
    ['openai', 'gpt-4o'],
    ['openai', 'gpt-5-mini'],
    ['mistral', 'mistral-large'],
    ['groq', 'llama'],
  ])('%s refuses top_k, which is left out with a warning (%s)', async (kind, model) => {
    const { body, warnings } = await adjust(kind, { top_k: 5 }, model);
    expect(body).not.toHaveProperty('top_k');
    expect(warnings).toContain(`top_k left out: ${kind} has none`);
  });

  it('Moonshot: fields that Kimi models fix are omitted with a warning, the third generation accepts an effort', async () => {
    const older = await adjust('moonshot', { temperature: 0.2, max_tokens: 9, reasoning_effort: 'none' }, 'moonshot-v1-8k');
    expect(older.body).toMatchObject({ temperature: 0.2, max_completion_tokens: 9, thinking: { type: 'disabled' } });
    const second = await adjust('moonshot', { temperature: 0.2, tool_choice: 'auto' }, 'kimi-k2.6');
    expect(second.body).not.toHaveProperty('temperature');
    expect(second.warnings).toEqual(['temperature left out: moonshot has none']);
    await expect(adjust('moonshot', { tool_choice: 'required' }, 'kimi-k2.6')).rejects.toMatchObject({ param: 'tool_choice' });
    const third = await adjust('moonshot', { reasoning_effort: 'medium', tool_choice: 'required' }, 'kimi-k3.1-pro');
    expect(third.body).toMatchObject({ reasoning_effort: 'low', tool_choice: 'required' });
  });

  it('Qwen: some models only stream; a row can name them', async () => {
    const { provider } = await make('qwen');
    expect(provider.mustStream?.('qwq-plus')).toBe(true);
    expect(provider.mustStream?.('qwen-plus')).toBe(false);
    const plugin = vendors.get('vllm') as Vendor;
    const own = await plugin.create(plugin.options.parse({ stream_only: ['slow-*'] }), services);
    expect(own.mustStream?.('slow-1')).toBe(true);
  });
});
