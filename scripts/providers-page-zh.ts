/** Writes `docs/zh/providers.md`, the Chinese provider page, from the same tables as the English one. */
import { writeFileSync } from 'node:fs';
import type { Operation } from '../src/types/wire-format.ts';
import { providerTables } from './providers-page.ts';

const operationNames: Readonly<Record<Operation, string>> = {
  chat: '对话',
  embeddings: '向量',
  rerank: '重排序',
  images: '图片',
  transcriptions: '语音转写',
  speech: '语音合成',
};

/** Vendor names in Chinese; other vendors keep the title of the plugin. */
const vendorNames: Readonly<Record<string, string>> = {
  cohere: 'Cohere（OpenAI 兼容接口）',
  dashscope: '阿里云百炼（DashScope 原生格式）',
  doubao: '豆包（火山方舟）',
  hunyuan: '腾讯混元',
  moonshot: '月之暗面 Kimi',
  ollama: 'Ollama（原生格式）',
  'ollama-openai': 'Ollama（OpenAI 兼容接口）',
  'openai-compatible': '任意 OpenAI 格式的服务',
  qianfan: '百度千帆',
  qwen: '通义千问（百炼兼容模式）',
  siliconflow: '硅基流动 SiliconFlow',
  stepfun: '阶跃星辰 StepFun',
  zhipu: '智谱 GLM',
};

const columnNames: Readonly<Record<string, string>> = {
  tools: '工具',
  'forced tool': '强制调用工具',
  pictures: '图片输入',
  thinking: '思考',
  penalties: '惩罚系数',
};

/** Translations of the words in the table of schemas. */
const schemaWords: readonly (readonly [english: string, chinese: string])[] = [
  ['native', '原生'],
  ['JSON mode', 'JSON 模式'],
  ['words', '提示词'],
  ['none looked for', '未查证'],
  ['none found', '未找到'],
];

function translateSchemaRow(row: string): string {
  return row
    .split(' | ')
    .map((cell, index) =>
      index === 0
        ? cell
        : schemaWords.reduce(
            (text, [english, chinese]) => text.replace(new RegExp(`(^|: )${english}(?= \\||;|$)`, 'g'), `$1${chinese}`),
            cell,
          ),
    )
    .join(' | ')
    .replaceAll('; ', '；');
}

/** The complete expected page. */
export async function providersPageZh(): Promise<string> {
  const { kinds, columns, features, schemas, prefill } = await providerTables();
  const reach = kinds.map(({ kind, title, address, format, operations }) => {
    const does = operations.map((operation) => operationNames[operation]).join('、');
    return `| \`${kind}\` | ${vendorNames[kind] ?? title} | ${address === null ? '自行填写' : `\`${address}\``} | \`${format}\` | ${does} |`;
  });
  return [
    '# 供应商',
    '',
    '<!-- 由 `npm run docs` 生成：脚本逐个询问每种供应商如何处理一次请求；页面与代码不一致时测试会失败。 -->',
    '',
    '一个供应商就是一行配置：`kind` 取自下表，其余写在选项里（`api_key`，多数还有 `base_url`；全部选项见 `GET /docs`）。无论背后是哪家厂商，调用方只用一种格式：OpenAI 的 Chat Completions、Responses，或者 Anthropic 的 Messages。厂商做不到的事绝不会被悄悄丢掉：',
    '',
    '- **✓** 转换成厂商自己的写法后送达。Pailou 不认识的字段原样透传。',
    '- **–** 去掉这个字段后照常调用，因为得到的仍是这个问题的回答；响应头 `x-pailou-warnings` 会写明去掉了什么。',
    '- **✗** 直接拒绝：状态码 400，错误码 `unsupported_parameter`，并指出字段和厂商，因为少了它回答的含义就变了。',
    '',
    '',
    '| kind | 厂商 | 地址 | 格式 | 支持的操作 |\n|---|---|---|---|---|',
    ...reach,
    '\n## 各家如何处理请求里的字段\n',
    `| kind | ${columns.map((column) => columnNames[column] ?? column).join(' | ')} |\n|---|${columns.map(() => '---').join('|')}|`,
    ...features,
    '',
    '\n## JSON Schema\n',
    '下表说明 `response_format` 为 `json_schema` 时怎么处理，依据是各厂商的文档（有三家依据的是第三方综述，见“来源”一列）。个别模型可能与厂商的通例不同：模型目录（[catalogue.md](../catalogue.md)）里该模型的记录优先于本表，供应商或部署那一行的 `structured_output`（`json_schema`、`json_object` 或 `none`）又优先于两者。Claude 4.5 之前的模型（Opus 为 4.1 之前）按“提示词”方式处理。',
    '',
    '- **原生**：由厂商保证回答符合 Schema。',
    '- **JSON 模式**：要求厂商返回 JSON，用提示词告知 Schema，由 Pailou 校验。',
    '- **提示词**：同上，但不发送 `response_format`，因为厂商会拒绝它。',
    '',
    '厂商自己不保证时，Schema 附在 system 消息末尾；不论是否流式，回答都先暂存，校验通过才返回。不符合的回答会连同错误原因退给模型修正，最多两次；仍不行就换下一个部署，最后以 `output_invalid` 结束，并附上最接近的一次回答。每次修正都作为一次尝试记入账本，全部 token 计入用量。响应头 `x-pailou-warnings` 会注明回答经 Pailou 校验。工具调用、拒答以及因长度上限截断的回答原样通过。`n` 大于 1 时不做修正。技能自行校验输出。\n',
    '| kind | JSON Schema | 例外的模型 | 来源 |\n|---|---|---|---|',
    ...schemas.map(translateSchemaRow),
    '',
    '具体模型的能力可能小于厂商的能力：某个模型能不能看图，由厂商在它自己的报错里说明。',
    '有的厂商把思考过程写在正文里，放在 `<think>` 与 `</think>` 之间。供应商或部署的 `think_tags` 为 true 时，Pailou 会把思考与正文分开（`llamacpp`、`lmstudio`、`minimax`、`sglang`、`vllm`、`xinference` 默认如此）。',
    '有些模型（如 DeepSeek R1、QwQ）的模板已在提示词末尾写好 `<think>`，正文里就只有 `</think>`。完整回答照样能分开；流式回答需要设 `"think_tags": "unopened"`：`</think>` 之前的内容都算思考。只应用于始终会思考的模型。',
    '只能流式输出的模型，由 Pailou 以流式请求、再合并成完整回答：在供应商上设 `stream_only`，或在部署上设 `always_stream`。',
    '第一张表里写有 `openai-responses` 的厂商，还提供 OpenAI 的 Responses API。以下情况部署会使用它：部署的 `api` 写成 `responses`，或模型目录表明该模型只有这一种 API，或供应商的 `responses_models` 列出了该模型；不论调用方用哪种格式，都感觉不到差别。`n`、`stop` 和 `logit_bias` 在这里会被点名拒绝，因为该 API 没有这些字段。用 Responses 格式发来的请求会原样转发（包括自定义工具、托管工具、加密的推理和 `prompt_cache_key`）；xAI、DeepSeek 和智谱缺少的工具则改写为函数。',
    `有些模型可以接着给定的开头往下写（部署的选项 \`prefill\`，见 docs/routing.md），它们是 ${prefill.join('、')}；其中 DeepSeek 只在以 \`/beta\` 结尾的地址上支持，Claude 只限 4.6 之前的版本，通义千问和豆包只在关闭思考时支持。\n`,
  ].join('\n');
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/zh/providers.md', import.meta.url), await providersPageZh());
  console.log('docs/zh/providers.md written');
}
