/** The prefill in each vendor's request format. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { createModelInvoker } from '../../src/models/invoke.ts';
import { RawBody } from '../../src/models/raw-body.ts';
import { withPrefill } from '../../src/models/prefill.ts';
import { loadPlugins } from '../../src/plugins/loader.ts';
import type { PluginRegistry } from '../../src/plugins/registry.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import type { ChatRequest } from '../../src/types/chat.ts';
import type { PluginServices } from '../../src/types/plugin.ts';
import type { Provider } from '../../src/types/provider.ts';
import { openChat } from './open-chat.ts';

let registry: PluginRegistry;
const services = { checkUrl: (url: string) => new URL(url) } as unknown as PluginServices;
beforeAll(async () => {
  const source = join(import.meta.dirname, '../../src');
  registry = await loadPlugins({
    folders: [join(source, 'providers'), join(source, 'models/vendor-formats')],
    pluginsDir: null,
    services,
    logger: createLogger('silent'),
  });
});

const provider = async (kind: string): Promise<Provider> => {
  const plugin = registry.get('provider', kind);
  if (plugin === undefined) throw new Error(`no provider ${kind}`);
  const needed = { api_key: 'k', base_url: 'http://127.0.0.1:1/v1' };
  return plugin.create(plugin.options.parse(needed), services);
};

const request: ChatRequest = {
  body: { model: 'public', stream: true, max_tokens: 100, messages: [{ role: 'user', content: 'Who stands here?' }] },
};
const beginning = 'Many roads lead';

/** The JSON that is sent to a vendor of this kind. */
async function sent(kind: string, model: string, given = request): Promise<Record<string, unknown>> {
  const instance = await provider(kind);
  let body = '';
  const invoker = createModelInvoker({
    client: {
      push: (outgoing) => {
        body = outgoing.body as string;
        throw new Error('nobody there');
      },
      send: () => Promise.reject(new Error('nobody there')),
      fetch,
      via: () => {
        throw new Error('no proxy here');
      },
      close: () => Promise.resolve(),
    },
    format: (name) => registry.instance('format', name),
    pictures: { inline: (each) => Promise.resolve(each) },
  });
  const deployment = {
    id: 'd',
    key: 'd',
    provider: { id: '1', name: kind, kind, instance },
    model,
    weight: 1,
    tier: 0,
    price: null,
    alwaysStream: false,
    prefill: true,
    limits: {},
  };
  await openChat(invoker, deployment, given, { stream: true, prefill: beginning }).catch(() => {});
  return JSON.parse(body) as Record<string, unknown>;
}

const plain = { role: 'assistant', content: beginning };

it.each([
  ['openai-compatible', plain, {}],
  ['deepseek', { ...plain, prefix: true }, {}],
  ['mistral', { ...plain, prefix: true }, {}],
  ['qwen', { ...plain, partial: true }, {}],
  ['moonshot', { ...plain, partial: true }, {}],
  ['vllm', plain, { continue_final_message: true, add_generation_prompt: false }],
  ['sglang', plain, { continue_final_message: true }],
  ['llamacpp', plain, {}],
  ['groq', plain, {}],
  ['ollama', plain, {}],
  ['anthropic', { role: 'assistant', content: [{ type: 'text', text: beginning }] }, {}],
])('%s gets the prefill as the last message, marked as it requires', async (kind, last, marks) => {
  const body = await sent(kind, 'some-model');
  expect((body['messages'] as unknown[]).at(-1)).toEqual(last);
  expect(body).toMatchObject(marks);
});

it('dashscope gets it under input', async () => {
  const body = await sent('dashscope', 'qwen-plus');
  expect((body['input'] as { messages: unknown[] }).messages.at(-1)).toEqual({ ...plain, partial: true });
});

it('a request in the vendor’s own format gets it there', async () => {
  const own = { model: 'm', max_tokens: 50, messages: [{ role: 'user', content: [{ type: 'text', text: 'Who?' }] }] };
  const body = await sent('anthropic', 'claude-sonnet-4-5', { ...request, native: { format: 'anthropic', body: own } });
  expect(body['messages']).toEqual([...own.messages, plain]);
  expect(body['max_tokens']).toBeLessThan(50);
});

it('delivered text counts against the caller’s limit, and the bytes of the original request are not sent', () => {
  const raw = new RawBody(Buffer.from('{}'), { members: new Map(), bodyStart: 1 });
  const made = withPrefill({ ...request, raw }, beginning, {});
  expect(made.raw).toBeUndefined();
  expect(made.body['max_tokens']).toBeLessThan(100);
  expect(made.body['max_tokens']).toBeGreaterThan(90);
  const short = withPrefill({ body: { ...request.body, max_tokens: 2 } }, beginning, {});
  expect(short.body['max_tokens'], 'at least one').toBe(1);
});

it.each([
  ['claude-opus-4-6', false],
  ['claude-sonnet-4-6-20260217', false],
  ['claude-sonnet-5', false],
  ['claude-next', false],
  ['claude-sonnet-4-5-20250929', true],
  ['claude-3-5-haiku-20241022', true],
  ['claude-opus-4-20250514', true],
  ['glm-5', true],
])('%s at the vendor of Claude: %s', async (model, can) => {
  expect((await provider('anthropic')).prefill?.(model) !== undefined).toBe(can);
});

it('vendors without known prefill support are reported', async () => {
  for (const kind of ['openai', 'xai', 'siliconflow']) expect(Object.keys(await provider(kind))).not.toContain('prefill');
  const bedrock = await registry.get('provider', 'bedrock')?.create({ region: 'us-east-1', api_key: 'k', embeddings_batch: 1 }, services);
  expect((bedrock as Provider).prefill?.('us.anthropic.claude-opus-4-5-20251101-v1:0')).toEqual({});
  expect((bedrock as Provider).prefill?.('amazon.nova-pro-v1:0')).toBeUndefined();
});
