/**
 * Reasoning by model family, for every host: open models run at many vendors and on own servers, which have no table in the catalogue.
 * A row of the catalogue or of an operator comes first. Names are compared without regard to case, `_` counts as `-`, and `5p2` as `5.2`.
 */
import type { ModelReasoning } from '../../types/model-reasoning.ts';

export interface ReasoningFamily extends ModelReasoning {
  readonly family: string;
  /** Matches a part of the model's name. */
  readonly names: RegExp;
  /** A name of the family, for tests and the documentation. */
  readonly example: string;
  /** The page that documents it. */
  readonly source: string;
}

const interleaved = 'with_tools';

/** The first family that matches a name applies. */
export const reasoningFamilies: readonly ReasoningFamily[] = [
  {
    family: 'gpt-oss',
    names: /gpt-oss/,
    example: 'gpt-oss-120b',
    thinking: 'always',
    efforts: ['low', 'medium', 'high'],
    thoughtsReturn: interleaved,
    source: 'https://docs.sglang.io/cookbook/autoregressive/OpenAI/GPT-OSS',
  },
  {
    family: 'DeepSeek V4',
    names: /deepseek-(v[4-9]|flash|reasoner)/,
    example: 'deepseek-v4-pro',
    thinking: true,
    efforts: ['low', 'high', 'max'],
    thoughtsReturn: interleaved,
    source: 'https://api-docs.deepseek.com/guides/thinking_mode',
  },
  {
    family: 'DeepSeek V3.1 and V3.2',
    names: /deepseek-v3[.-]?[12]/,
    example: 'deepseek-v3.2',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://api-docs.deepseek.com/guides/thinking_mode',
  },
  {
    family: 'DeepSeek R1',
    names: /deepseek-r1/,
    example: 'deepseek-r1-0528',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: 'never',
    source: 'https://docs.sglang.io/docs/advanced_features/separate_reasoning',
  },
  {
    family: 'Kimi K3',
    names: /kimi-k3/,
    example: 'kimi-k3',
    thinking: 'always',
    efforts: ['low', 'high', 'max'],
    thoughtsReturn: interleaved,
    source: 'https://platform.kimi.com/docs/api/models-overview',
  },
  {
    family: 'Kimi K2 Thinking',
    names: /kimi-(k2-)?thinking/,
    example: 'kimi-k2-thinking',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://docs.vllm.ai/en/v0.17.1/features/interleaved_thinking/',
  },
  {
    family: 'Kimi K2.5 and later',
    names: /kimi-(k2\.[5-9]|for-coding)/,
    example: 'kimi-k2.6',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://platform.kimi.com/docs/api/models-overview',
  },
  {
    family: 'GLM 5.3',
    names: /glm-?5\.[3-9]|glm-?5-3/,
    example: 'glm-5.3',
    thinking: 'always',
    efforts: ['low', 'medium', 'high', 'max'],
    thoughtsReturn: interleaved,
    source: 'https://docs.together.ai/docs/glm-5.3-quickstart',
  },
  {
    family: 'GLM 5',
    names: /glm-?5/,
    example: 'glm-5.2',
    thinking: true,
    efforts: ['high', 'max'],
    thoughtsReturn: interleaved,
    source: 'https://docs.bigmodel.cn/cn/guide/capabilities/thinking',
  },
  {
    family: 'GLM 4.5 to 4.7',
    names: /glm-?4[.-][5-9](?!\d)/,
    example: 'glm-4.6',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://docs.bigmodel.cn/cn/guide/capabilities/thinking-mode',
  },
  {
    family: 'GLM Z1 and GLM 4.1V Thinking',
    names: /glm-(z1|zero|4\.1v-thinking)/,
    example: 'glm-z1-air',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: 'never',
    source: 'https://docs.bigmodel.cn/cn/guide/capabilities/thinking',
  },
  {
    family: 'MiniMax M3',
    names: /minimax-m[3-9]/,
    example: 'MiniMax-M3',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://platform.minimax.io/docs/api-reference/text-chat-openai',
  },
  {
    family: 'MiniMax M2',
    names: /minimax-m2/,
    example: 'MiniMax-M2.7',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://platform.minimax.io/docs/api-reference/text-openai-api',
  },
  {
    family: 'Qwen thinking',
    names: /qwen-?3.*-thinking/,
    example: 'qwen3-235b-a22b-thinking-2507',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://docs.sglang.io/docs/advanced_features/separate_reasoning',
  },
  {
    family: 'QwQ and QVQ',
    names: /(qwq|qvq)-/,
    example: 'qwq-32b',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: 'never',
    source: 'https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs/',
  },
  {
    family: 'Qwen3 without thinking',
    names: /qwen-?3.*(-instruct|-coder)|qwen-?[12](?!\d)|qwen1\.5/,
    example: 'qwen2.5-72b-instruct',
    thinking: false,
    source: 'https://help.aliyun.com/zh/model-studio/deep-thinking',
  },
  {
    family: 'Qwen3 and later, Qwen Plus, Flash and Turbo',
    names: /qwen-?[3-9]|qwen-(plus|flash|turbo)/,
    example: 'qwen3.6-plus',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://help.aliyun.com/zh/model-studio/deep-thinking',
  },
  {
    family: 'Hunyuan Hy3',
    names: /(^|[/-])hy-?[3-9]/,
    example: 'hy3-preview',
    thinking: true,
    efforts: ['low', 'high'],
    thoughtsReturn: interleaved,
    source: 'https://cloud.tencent.com/document/product/1823/130930',
  },
  {
    family: 'Hunyuan thinking',
    names: /hunyuan-(t1|.*thinking)/,
    example: 'hunyuan-2.0-thinking-20251109',
    thinking: 'always',
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://cloud.tencent.com/document/product/1823/131208',
  },
  {
    family: 'Hunyuan A13B',
    names: /hunyuan-a13b/,
    example: 'hunyuan-a13b',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://cloud.tencent.com/document/product/1729/111007',
  },
  {
    family: 'Doubao Seed',
    names: /doubao-seed/,
    example: 'doubao-seed-2.1-turbo',
    thinking: true,
    efforts: ['minimal', 'low', 'medium', 'high'],
    thoughtsReturn: interleaved,
    source: 'https://www.volcengine.com/docs/82379/1494384',
  },
  {
    family: 'Doubao 1.5 thinking',
    names: /doubao-1[.-]5-thinking/,
    example: 'doubao-1.5-thinking-pro',
    thinking: true,
    efforts: [],
    thoughtsReturn: 'never',
    source: 'https://www.volcengine.com/docs/82379/1494384',
  },
  {
    family: 'MiMo',
    names: /mimo-v/,
    example: 'mimo-v2-flash',
    thinking: true,
    efforts: [],
    thoughtsReturn: interleaved,
    source: 'https://github.com/XiaomiMiMo/MiMo-V2-Flash',
  },
  {
    family: "OpenAI's o series",
    names: /(^|[/.-])o[1-9](-mini|-pro)?($|-20\d\d)/,
    example: 'o3-mini',
    thinking: 'always',
    efforts: ['low', 'medium', 'high'],
    thoughtsReturn: 'never',
    source: 'https://platform.openai.com/docs/guides/reasoning',
  },
  {
    family: 'GPT-5',
    names: /gpt-5(-mini|-nano)?($|-20\d\d)/,
    example: 'gpt-5-mini',
    thinking: 'always',
    efforts: ['minimal', 'low', 'medium', 'high'],
    thoughtsReturn: 'never',
    source: 'https://platform.openai.com/docs/guides/reasoning',
  },
  {
    family: 'GPT-5.1',
    names: /gpt-5\.1($|-20\d\d)/,
    example: 'gpt-5.1',
    thinking: true,
    efforts: ['none', 'low', 'medium', 'high'],
    thoughtsReturn: 'never',
    source: 'https://platform.openai.com/docs/guides/reasoning',
  },
  {
    family: 'GPT-5.2 and later',
    names: /gpt-5\.[2-9](-mini|-nano)?($|-20\d\d)/,
    example: 'gpt-5.4-mini',
    thinking: true,
    efforts: ['none', 'low', 'medium', 'high', 'xhigh'],
    thoughtsReturn: 'never',
    source: 'https://platform.openai.com/docs/guides/reasoning',
  },
  {
    family: 'Models without thinking',
    names:
      /gpt-(3\.5|4)|chatgpt-4o|deepseek-(v2|v3|coder)|kimi-k2|moonshot-v1|glm-?[34]|charglm|codegeex|minimax-text|abab|hunyuan-(turbo|lite|large|standard|pro|role|translation|functioncall|code|vision|2\.0-instruct)|hy-mt|doubao-(1[.-]5-)?(pro|lite|vision)|ernie-(speed|lite|tiny|3\.5|4\.0)|(?<!nemotron.*)llama-?[1-4]|codellama|gemma-?[123](?!\d)|phi-?[34](?!.*reason)|mixtral|codestral|ministral|pixtral|mistral-(7b|nemo)|command-(r|light|nightly)/,
    example: 'gpt-4o-mini',
    thinking: false,
    source: 'https://platform.openai.com/docs/models',
  },
];

const spelled = (model: string): string =>
  model
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/(\d)p(?=\d)/g, '$1.');

/** The family of an upstream model; undefined for an unknown name. */
export function reasoningFamily(model: string): ReasoningFamily | undefined {
  const name = spelled(model);
  return reasoningFamilies.find(({ names }) => names.test(name));
}
