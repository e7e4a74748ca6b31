/** Writes `docs/requests.md` from the code: what each kind of provider gets for one rich request, and what each client format gives for one rich answer. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasoningOf, replaysOf } from '../src/config/model-reasoning.ts';
import { createModelCatalogue } from '../src/models/catalogue/catalogue.ts';
import { createCompletionCollector } from '../src/models/client-formats/chat-completions/emitter.ts';
import { createMessageCollector } from '../src/models/client-formats/messages/emitter.ts';
import { createResponseCollector } from '../src/models/client-formats/responses/emitter.ts';
import { fitRequest } from '../src/models/fit-request.ts';
import { openaiChat } from '../src/models/vendor-formats/openai/chat.ts';
import { createOutboundGuard } from '../src/outbound/guard.ts';
import type { PluginRegistry } from '../src/plugins/registry.ts';
import type { ChatBody } from '../src/types/chat.ts';
import { GatewayError } from '../src/types/errors.ts';
import type { JsonObject } from '../src/types/json.ts';
import type { PluginServices, UpstreamCall } from '../src/types/plugin.ts';
import { loadProviders, sampleProvider } from './provider-samples.ts';

const guard = createOutboundGuard({ allow: ['127.0.0.0/8'] });
const services = {
  mode: 'production',
  checkUrl: (url: string, param: string) => guard.checkUrl(url, param),
  fetch: () => Promise.reject(new Error('the page of requests fetches nothing')),
} as unknown as PluginServices;

/** A model of each vendor that thinks. */
const models: Readonly<Record<string, string>> = {
  anthropic: 'claude-opus-4-5',
  azure: 'gpt-5',
  bedrock: 'anthropic.claude-opus-4-5-20251101-v1:0',
  cohere: 'command-a-reasoning-08-2025',
  dashscope: 'qwen3-32b',
  deepseek: 'deepseek-v4-pro',
  doubao: 'doubao-seed-2.1-turbo',
  fireworks: 'accounts/fireworks/models/kimi-k3',
  gemini: 'gemini-3-pro-preview',
  groq: 'openai/gpt-oss-120b',
  hunyuan: 'hy3-preview',
  llamacpp: 'gpt-oss-20b',
  lmstudio: 'gpt-oss-20b',
  minimax: 'MiniMax-M2.7',
  mistral: 'mistral-medium-3.5',
  moonshot: 'kimi-k2.6',
  ollama: 'gpt-oss:20b',
  'ollama-openai': 'gpt-oss:20b',
  openai: 'gpt-5',
  'openai-compatible': 'deepseek-v4-pro',
  openrouter: 'z-ai/glm-5.2',
  qianfan: 'glm-5.2',
  qwen: 'qwen3.6-plus',
  sglang: 'deepseek-v4',
  siliconflow: 'Pro/zai-org/GLM-4.6',
  stepfun: 'step-3.7-flash',
  together: 'moonshotai/Kimi-K2.6',
  vertex: 'gemini-3-pro-preview',
  vllm: 'openai/gpt-oss-120b',
  xai: 'grok-4',
  xinference: 'qwen3-32b',
  zhipu: 'glm-5.2',
};

const longName = 'mcp__company_knowledge_base_of_all_departments__search_pages_by_words';

const rich: ChatBody = {
  model: 'public',
  messages: [
    {
      role: 'developer',
      content: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Cite.' },
      ],
    },
    { role: 'user', content: 'Where is the gate?' },
    {
      role: 'assistant',
      content: null,
      reasoning_content: 'I must look it up.',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: longName, arguments: '{"words":"gate"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'to the south' },
  ],
  tools: [{ type: 'function', function: { name: longName, parameters: { type: 'object', properties: { words: { type: 'string' } } } } }],
  tool_choice: 'auto',
  parallel_tool_calls: false,
  reasoning_effort: 'xhigh',
  max_completion_tokens: 4000,
  temperature: 1.2,
  presence_penalty: 0.5,
  seed: 7,
  stop: ['A', 'B', 'C', 'D', 'E', 'F'],
  user: 'u-1',
  metadata: { team: 'gate' },
};

const head = `# One rich request, one rich answer

<!-- Written by \`npm run docs\`: scripts/requests-page.ts sends both through the code; a test fails when the page differs. -->

What each kind of provider gets for the same request, with a model of its vendor that thinks, and what callers find in \`x-pailou-warnings\`. Then what each client format gives for the same answer.
[reasoning.md](reasoning.md) says why the effort and the thoughts look as they do, [answers.md](answers.md) follows every member of an answer.

## The request

`;

/** One member a line; what is inside stays on its line. */
function json(value: JsonObject): string {
  const members = Object.entries(value).flatMap(([name, member]) => {
    const lists = Array.isArray(member) && member.length > 1 && typeof member[0] === 'object';
    const text = lists ? `[\n${member.map((each) => `    ${JSON.stringify(each)}`).join(',\n')}\n  ]` : JSON.stringify(member);
    return text === undefined ? [] : [`  ${JSON.stringify(name)}: ${text}`];
  });
  return `\`\`\`json\n{\n${members.join(',\n')}\n}\n\`\`\`\n`;
}

const catalogue = createModelCatalogue();

async function sectionFor(registry: PluginRegistry, kind: string): Promise<string> {
  const { provider } = await sampleProvider(registry, kind, 'http://127.0.0.1:9/v1', services);
  const model = models[kind] ?? 'model';
  const formatKind = provider.chatFormat?.(model) ?? provider.formats.chat ?? '';
  const format = registry.instance('format', formatKind)?.chat;
  if (format === undefined) throw new Error(`${kind} has no format for chats`);
  const known = catalogue.find({ kind, host: null }, model);
  const reasoning = reasoningOf({ model } as Parameters<typeof reasoningOf>[0], undefined, known);
  const warnings: string[] = [];
  const warn = (note: string): void => {
    if (!warnings.includes(note)) warnings.push(note);
  };
  const call: UpstreamCall = { operation: 'chat', model, stream: false, warn, format: formatKind, reasoning };
  const deployment = {
    model,
    reasoning,
    provider: { id: kind, name: kind, kind, instance: provider },
    ...(known === undefined ? {} : { known }),
  };
  const adjusted = provider.adjusts?.(rich, call) === false ? undefined : provider.adjust?.bind(provider);
  const target = {
    model,
    stream: false,
    vendor: kind,
    warn,
    replays: replaysOf(provider, reasoning, false),
    ...(adjusted === undefined ? {} : { adjust: (body: JsonObject) => adjusted(body, call) }),
  };
  const title = `### ${kind}\n\n\`${model}\`, format \`${formatKind}\`\n\n`;
  const attempt = (body: ChatBody): string => {
    const fitted = fitRequest({ body }, deployment, {
      kind: formatKind,
      format,
      target,
    });
    const sent = JSON.parse(String(fitted.format.encodeRequest(fitted.request, target))) as JsonObject;
    return json(sent);
  };
  let text: string;
  try {
    text = attempt(rich);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    text = `Refused: ${thrown.message}\n`;
  }
  const notes = warnings.length === 0 ? '' : `\n${warnings.map((note) => `- ${note}`).join('\n')}\n`;
  return `${title}${text}${notes}\n`;
}

const answer: JsonObject = {
  id: 'c-1',
  object: 'chat.completion',
  created: 1,
  model: 'upstream',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'The gate is to the south.',
        reasoning_content: 'I looked it up.',
        annotations: [
          { type: 'url_citation', url_citation: { url: 'https://example.com/gate', title: 'Gate', start_index: 0, end_index: 25 } },
        ],
        tool_calls: [{ id: 'call_2', type: 'function', function: { name: 'open', arguments: '{"gate":"south"}' } }],
      },
      finish_reason: 'tool_calls',
    },
  ],
  usage: {
    prompt_tokens: 100,
    completion_tokens: 40,
    total_tokens: 140,
    prompt_tokens_details: { cached_tokens: 60 },
    completion_tokens_details: { reasoning_tokens: 10 },
  },
};

/** Random ids and the time of the day differ each time. */
const steady = (text: string): string =>
  text.replaceAll(/"(rs|msg|fc|ig)_[0-9a-f]{8,}"/g, '"$1_1"').replace(/"completed_at":\d+/, '"completed_at":2');

function answers(): string {
  const events = openaiChat.decodeResponse(Buffer.from(JSON.stringify(answer)));
  const common = { created: 1, model: 'public', reasoning: true };
  const responses = { ...common, id: `resp_${'0'.repeat(32)}`, echo: {}, summary: false, encrypted: false, onComplete: () => {} };
  const messages = { ...common, id: 'msg_1', mcpBlocks: false, estimatedInput: () => 100 };
  const shown = (title: string, collector: ReturnType<typeof createCompletionCollector>): string => {
    collector.add(events);
    return `### ${title}\n\n${json(JSON.parse(steady(collector.text())) as JsonObject)}`;
  };
  return [
    `## The answer\n\n${json(answer)}`,
    shown('Chat Completions', createCompletionCollector({ ...common, id: 'chatcmpl-1' })),
    shown('Responses', createResponseCollector(responses)),
    shown('Messages', createMessageCollector(messages)),
  ].join('\n');
}

export async function requestsPage(): Promise<string> {
  const registry = await loadProviders(services);
  const sections: string[] = [];
  for (const kind of Object.keys(models)) sections.push(await sectionFor(registry, kind));
  return `${head}${json(rich)}\n## What each kind gets\n\n${sections.join('')}${answers()}`;
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '../docs/requests.md'), await requestsPage());
  console.log('docs/requests.md is written');
}
