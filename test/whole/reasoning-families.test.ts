/** Reasoning by model family at every host: thoughts go back to the models that want them, and the effort is sent as the host takes it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasoningFamilies, reasoningFamily } from '../../src/models/catalogue/reasoning-families.ts';
import type { JsonObject } from '../../src/types/json.ts';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let vendor: Server;
let base: string;
const seen: JsonObject[] = [];
/** The members of the next answers beside the tool call. */
let thoughts: JsonObject = {};
const thought = 'The caller wants the gate; I must look it up.';

const call = { id: 'call-1', type: 'function', function: { name: 'find', arguments: '{"query":"gate"}' } };

function answer(): JsonObject {
  const message = { role: 'assistant', content: null, ...thoughts, tool_calls: [{ ...call, id: `call-${seen.length}` }] };
  return {
    id: 'c-1',
    object: 'chat.completion',
    created: 1,
    model: 'x',
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
    usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 },
  };
}

const created = new Set<string>();
const variants: string[] = [];

async function create(path: string, row: object): Promise<void> {
  const { status, text } = await gateway.as('admin', 'POST', path, row);
  expect(status, text).toBe(201);
}

/** The public name of a model of this vendor, which is created on first use. */
async function modelAt(kind: string, model: string, deployment: JsonObject = {}, provider: JsonObject = {}): Promise<string> {
  const variant = JSON.stringify([deployment, provider]);
  if (!variants.includes(variant)) variants.push(variant);
  const providerName = `${kind}-${variants.indexOf(variant)}`;
  if (!created.has(providerName)) {
    created.add(providerName);
    const spec = { kind, options: { api_key: 'key', base_url: `${base}/${kind}` }, ...provider };
    await create('/api/providers', { name: providerName, spec });
  }
  const name = `${providerName}-${model}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  if (created.has(name)) return name;
  created.add(name);
  const deployments = [{ provider: providerName, model, ...deployment }];
  await create('/api/models', { name, spec: { deployments } });
  return name;
}

beforeAll(async () => {
  vendor = createServer((request, response) => {
    readText(request).then(
      (body) => {
        seen.push(JSON.parse(body) as JsonObject);
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer()));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  gateway = await startGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  vendor.closeAllConnections();
  vendor.close();
});

interface Outcome {
  readonly sent: JsonObject;
  readonly warnings: string;
  readonly message: JsonObject;
}

async function ask(body: JsonObject): Promise<Outcome> {
  const response = await gateway.as('developer', 'POST', '/v1/chat/completions', body);
  expect(response.status, response.text).toBe(200);
  const { choices } = response.json as { choices: { message: JsonObject }[] };
  return { sent: seen.at(-1) ?? {}, warnings: String(response.headers.get('x-pailou-warnings') ?? ''), message: choices[0]?.message ?? {} };
}

const question = { role: 'user', content: 'Where is the gate?' };
const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object', properties: { query: { type: 'string' } } } } }];
const turnWith = (more: JsonObject, calls: unknown = [call]): JsonObject[] => [
  question,
  { role: 'assistant', content: '', tool_calls: calls as JsonObject[], ...more },
  { role: 'tool', tool_call_id: (calls as { id: string }[])[0]?.id ?? '', content: 'to the south' },
];
const assistantIn = ({ sent }: Outcome): JsonObject => (sent['messages'] as JsonObject[])[1] ?? {};

const wanting = reasoningFamilies.filter(({ thoughtsReturn }) => thoughtsReturn === 'with_tools');

describe('thoughts that go back', () => {
  it('the table names DeepSeek V4, Kimi, GLM, MiniMax, Qwen and gpt-oss, and finds each by its own example', () => {
    const names = wanting.map(({ family }) => family).join();
    for (const each of ['DeepSeek V4', 'Kimi', 'GLM', 'MiniMax', 'Qwen', 'gpt-oss']) expect(names).toContain(each);
    for (const { family, example } of reasoningFamilies) expect(reasoningFamily(example)?.family).toBe(family);
  });

  it.each([
    ['Pro/deepseek-ai/DeepSeek-V4-Flash', 'DeepSeek V4'],
    ['accounts/fireworks/models/kimi-k2p6', 'Kimi K2.5 and later'],
    ['moonshotai/Kimi-K2-Thinking', 'Kimi K2 Thinking'],
    ['moonshotai/Kimi-K2-Instruct-0905', 'Models without thinking'],
    ['zai-org/GLM-4.6-FP8', 'GLM 4.5 to 4.7'],
    ['glm-4-plus', 'Models without thinking'],
    ['zai.glm-5.2', 'GLM 5'],
    ['glm_5p3', 'GLM 5.3'],
    ['MiniMaxAI/MiniMax-M2', 'MiniMax M2'],
    ['openai/gpt-oss-20b', 'gpt-oss'],
    ['deepseek-r1-distill-llama-70b', 'DeepSeek R1'],
    ['nvidia/llama-3.3-nemotron-super-49b', 'Models without thinking'],
    ['Qwen/Qwen3-Coder-480B-A35B-Instruct', 'Qwen3 without thinking'],
    ['gpt-4.1', 'Models without thinking'],
    ['gpt-5.4', 'GPT-5.2 and later'],
    ['claude-sonnet-4-5', undefined],
    ['prod-chat', undefined],
  ])('%s belongs to %s', (model, family) => {
    expect(reasoningFamily(model)?.family).toBe(family);
  });

  describe.each(wanting)('$family', ({ example }) => {
    it.each(['openai-compatible', 'siliconflow', 'vllm', 'sglang', 'llamacpp', 'fireworks'])('gets them at %s', async (kind) => {
      const model = await modelAt(kind, example);
      const outcome = await ask({ model, messages: turnWith({ reasoning_content: thought }), tools });
      expect(assistantIn(outcome)['reasoning_content']).toBe(thought);
    });

    it('gets them also where the client dropped them', async () => {
      thoughts = { reasoning_content: thought };
      const model = await modelAt('openai-compatible', example);
      const first = await ask({ model, messages: [question], tools });
      const second = await ask({ model, messages: turnWith({}, first.message['tool_calls']), tools });
      expect(assistantIn(second)['reasoning_content']).toBe(thought);
    });
  });

  it.each(['groq', 'ollama-openai'])('%s gets them in its own field', async (kind) => {
    const outcome = await ask({ model: await modelAt(kind, 'gpt-oss-20b'), messages: turnWith({ reasoning_content: thought }), tools });
    expect(assistantIn(outcome)).toMatchObject({ reasoning: thought });
    expect(assistantIn(outcome)).not.toHaveProperty('reasoning_content');
  });

  it('MiniMax separates them from the text and gets them as reasoning_details', async () => {
    thoughts = {
      reasoning_details: [{ type: 'reasoning.text', id: 'reasoning-text-1', format: 'MiniMax-response-v1', index: 0, text: thought }],
    };
    const model = await modelAt('minimax', 'MiniMax-M2.7');
    const first = await ask({ model, messages: [question], tools });
    expect(first.sent).toMatchObject({ reasoning_split: true });
    expect(first.message).toMatchObject({ reasoning_content: thought });
    const second = await ask({ model, messages: turnWith({}, first.message['tool_calls']), tools });
    expect(assistantIn(second)['reasoning_details']).toEqual(thoughts['reasoning_details']);
  });

  it('OpenRouter gets signed details back that the client dropped', async () => {
    const detail = { type: 'reasoning.encrypted', id: 'r1', format: 'google-gemini-v1', index: 0, data: 'c2lnbmVk' };
    thoughts = { reasoning: thought, reasoning_details: [detail] };
    const model = await modelAt('openrouter', 'google/gemini-3-pro');
    const first = await ask({ model, messages: [question], tools });
    expect(first.message['reasoning_details']).toEqual([detail]);
    const second = await ask({ model, messages: turnWith({}, first.message['tool_calls']), tools });
    expect(assistantIn(second)['reasoning_details']).toEqual([detail]);
  });

  it.each([
    ['openai-compatible', 'prod-chat'],
    ['openai', 'gpt-5'],
    ['mistral', 'magistral-medium-latest'],
  ])('%s: %s gets none, and the caller reads that they were left out', async (kind, upstream) => {
    const outcome = await ask({ model: await modelAt(kind, upstream), messages: turnWith({ reasoning_content: thought }), tools });
    expect(JSON.stringify(outcome.sent)).not.toContain(thought);
    expect(outcome.warnings).toContain('reasoning_content of messages left out');
  });

  it('a deployment and a provider may say otherwise', async () => {
    const message = turnWith({ reasoning_content: thought });
    const own = await modelAt('openai-compatible', 'prod-chat', { thoughts_return: 'with_tools' });
    expect(assistantIn(await ask({ model: own, messages: message, tools }))['reasoning_content']).toBe(thought);
    const all = await modelAt('openai-compatible', 'prod-other', {}, { thoughts_return: 'with_tools' });
    expect(assistantIn(await ask({ model: all, messages: message, tools }))['reasoning_content']).toBe(thought);
    const never = await modelAt('deepseek', 'deepseek-v4-pro', { thoughts_return: 'never' });
    expect(JSON.stringify((await ask({ model: never, messages: message, tools })).sent)).not.toContain(thought);
  });

  it('a wrong value is refused with the name of the field', async () => {
    const spec = { kind: 'vllm', options: {}, thoughts_return: 'sometimes' };
    const { status, text } = await gateway.as('admin', 'POST', '/api/providers', { name: 'wrong', spec });
    expect(status).toBe(400);
    expect(text).toContain('thoughts_return');
  });
});

describe('reasoning_effort', () => {
  beforeAll(() => {
    thoughts = {};
  });

  it.each([
    ['zhipu', 'glm-5.2', 'low', { thinking: { type: 'enabled' }, reasoning_effort: 'low' }, ''],
    ['zhipu', 'glm-5', 'max', { thinking: { type: 'enabled' }, reasoning_effort: 'max' }, ''],
    ['zhipu', 'glm-4.6', 'high', { thinking: { type: 'enabled' }, reasoning_effort: undefined }, 'only switches thinking on'],
    ['zhipu', 'glm-5.3', 'none', { thinking: { type: 'enabled' }, reasoning_effort: 'low' }, 'always thinks'],
    ['deepseek', 'deepseek-v4-pro', 'xhigh', { thinking: { type: 'enabled' }, reasoning_effort: 'xhigh' }, ''],
    ['doubao', 'doubao-seed-2.1-turbo', 'low', { thinking: { type: 'enabled' }, reasoning_effort: 'low' }, ''],
    ['doubao', 'ep-20260101-abc', 'max', { reasoning_effort: 'high' }, 'reasoning_effort is high'],
    ['hunyuan', 'hy3-preview', 'high', { thinking: { type: 'enabled' }, reasoning_effort: 'high' }, ''],
    ['hunyuan', 'hunyuan-a13b', 'high', { enable_thinking: true, reasoning_effort: undefined }, 'has no levels'],
    ['minimax', 'MiniMax-M3', 'high', { thinking: { type: 'adaptive' } }, 'has no levels'],
    ['minimax', 'MiniMax-M2.7', 'none', { thinking: { type: 'adaptive' } }, 'always thinks'],
    ['qianfan', 'glm-5.2', 'none', { thinking: { type: 'disabled' }, enable_thinking: undefined }, ''],
    ['qianfan', 'qwen3-32b', 'low', { enable_thinking: true, thinking_budget: 2048 }, ''],
    [
      'vllm',
      'gpt-oss-120b',
      'high',
      { reasoning_effort: 'high', chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'high' } },
      '',
    ],
    [
      'sglang',
      'gpt-oss-120b',
      'xhigh',
      { reasoning_effort: 'high', chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'high' } },
      'has no xhigh',
    ],
    [
      'llamacpp',
      'gpt-oss-20b',
      'none',
      { reasoning_effort: 'low', chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'low' } },
      'always thinks',
    ],
    [
      'xinference',
      'gpt-oss',
      'low',
      { reasoning_effort: 'low', chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'low' } },
      '',
    ],
    [
      'vllm',
      'prod-chat',
      'low',
      { reasoning_effort: undefined, chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'low' } },
      '',
    ],
    ['vllm', 'Qwen3.6-35B', 'none', { chat_template_kwargs: { enable_thinking: false, thinking: false } }, ''],
    ['together', 'moonshotai/Kimi-K2.6', 'none', { reasoning: { enabled: false }, reasoning_effort: undefined }, ''],
    ['openai-compatible', 'gpt-oss-120b', 'max', { reasoning_effort: 'high' }, 'has no max'],
    ['openai-compatible', 'prod-chat', 'max', { reasoning_effort: 'max' }, ''],
    ['openai', 'o3-mini', 'max', { reasoning_effort: 'high' }, 'has no max'],
    ['openai', 'gpt-4o', 'high', { reasoning_effort: undefined }, 'does not think'],
    ['openai-compatible', 'llama-3.3-70b', 'high', { reasoning_effort: undefined }, 'does not think'],
    ['vllm', 'Qwen2.5-72B-Instruct', 'low', { reasoning_effort: undefined, chat_template_kwargs: undefined }, 'does not think'],
    ['mistral', 'ministral-8b-latest', 'high', { reasoning_effort: undefined }, 'does not think'],
  ])('%s, %s: %s', async (kind, upstream, effort, wanted, warning) => {
    const { sent, warnings } = await ask({ model: await modelAt(kind, upstream), messages: [question], reasoning_effort: effort });
    // A member that is undefined must be absent.
    expect(Object.fromEntries(Object.keys(wanted).map((field) => [field, sent[field]]))).toEqual(wanted);
    expect(warnings.includes('reasoning_effort')).toBe(warning !== '');
    expect(warnings).toContain(warning);
  });

  it.each(['deepseek', 'zhipu'])('%s keeps it beside thinking of the caller, unless that disables it', async (kind) => {
    const model = await modelAt(kind, kind === 'deepseek' ? 'deepseek-v4-pro' : 'glm-5.2');
    const beside = await ask({
      model,
      messages: [question],
      reasoning_effort: 'high',
      thinking: { type: 'enabled', clear_thinking: false },
    });
    expect(beside.sent).toMatchObject({ reasoning_effort: 'high', thinking: { type: 'enabled', clear_thinking: false } });
    const off = await ask({ model, messages: [question], reasoning_effort: 'high', thinking: { type: 'disabled' } });
    expect(off.sent).toMatchObject({ thinking: { type: 'disabled' } });
    expect(off.sent).not.toHaveProperty('reasoning_effort');
    expect(off.warnings).toContain('thinking is disabled');
  });

  it('a deployment says what its model takes', async () => {
    const levels = await modelAt('vllm', 'prod-think', { thinking: 'always', efforts: ['low', 'high'] });
    const { sent, warnings } = await ask({ model: levels, messages: [question], reasoning_effort: 'max' });
    expect(sent).toMatchObject({ reasoning_effort: 'high', chat_template_kwargs: { reasoning_effort: 'high' } });
    expect(warnings).toContain('has no max');
    const plain = await modelAt('vllm', 'prod-plain', { thinking: false });
    expect((await ask({ model: plain, messages: [question], reasoning_effort: 'max' })).sent).not.toHaveProperty('chat_template_kwargs');
  });
});
