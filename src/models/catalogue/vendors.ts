/** The vendors whose models are in the catalogue: each has a table `vendors/<id>.json`. */

export interface CatalogueVendor {
  readonly id: string;
  readonly title: string;
  /** The provider kinds of this vendor, whatever their address. */
  readonly kinds: readonly string[];
  /** The hosts of its API, whatever the provider's kind. */
  readonly hosts: readonly string[];
}

const vendor = (id: string, title: string, kinds: readonly string[], hosts: readonly string[]): CatalogueVendor => ({
  id,
  title,
  kinds,
  hosts,
});

export const catalogueVendors: readonly CatalogueVendor[] = [
  vendor('anthropic', 'Anthropic', ['anthropic'], ['api.anthropic.com']),
  vendor('azure', 'Azure OpenAI', ['azure'], []),
  vendor('bedrock', 'Amazon Bedrock', ['bedrock'], []),
  vendor('cerebras', 'Cerebras', [], ['api.cerebras.ai']),
  vendor('cohere', 'Cohere', ['cohere'], ['api.cohere.ai', 'api.cohere.com']),
  vendor('dashscope', 'Alibaba Cloud Model Studio (Beijing)', ['dashscope', 'qwen'], ['dashscope.aliyuncs.com']),
  vendor('dashscope-intl', 'Alibaba Cloud Model Studio (Singapore)', [], ['dashscope-intl.aliyuncs.com']),
  vendor('deepinfra', 'DeepInfra', [], ['api.deepinfra.com']),
  vendor('deepseek', 'DeepSeek', ['deepseek'], ['api.deepseek.com']),
  vendor('doubao', 'Volcano Ark', ['doubao'], ['ark.cn-beijing.volces.com']),
  vendor('fireworks', 'Fireworks', ['fireworks'], ['api.fireworks.ai']),
  vendor('gemini', 'Google AI Studio', ['gemini'], ['generativelanguage.googleapis.com']),
  vendor('groq', 'Groq', ['groq'], ['api.groq.com']),
  vendor('hunyuan', 'Tencent Hunyuan', ['hunyuan'], ['api.hunyuan.cloud.tencent.com']),
  vendor('jina', 'Jina AI', [], ['api.jina.ai']),
  vendor('minimax', 'MiniMax', ['minimax'], ['api.minimaxi.com', 'api.minimax.chat']),
  vendor('minimax-intl', 'MiniMax (international)', [], ['api.minimax.io']),
  vendor('mistral', 'Mistral', ['mistral'], ['api.mistral.ai']),
  vendor('moonshot', 'Moonshot', ['moonshot'], ['api.moonshot.cn']),
  vendor('moonshot-intl', 'Moonshot (international)', [], ['api.moonshot.ai']),
  vendor('novita', 'Novita', [], ['api.novita.ai']),
  vendor('openai', 'OpenAI', ['openai'], ['api.openai.com']),
  vendor('openrouter', 'OpenRouter', ['openrouter'], ['openrouter.ai']),
  vendor('perplexity', 'Perplexity', [], ['api.perplexity.ai']),
  vendor('qianfan', 'Baidu Qianfan', ['qianfan'], ['qianfan.baidubce.com']),
  vendor('sambanova', 'SambaNova', [], ['api.sambanova.ai']),
  vendor('siliconflow', 'SiliconFlow', ['siliconflow'], ['api.siliconflow.cn']),
  vendor('stepfun', 'StepFun', ['stepfun'], ['api.stepfun.com']),
  vendor('together', 'Together', ['together'], ['api.together.xyz', 'api.together.ai']),
  vendor('vertex', 'Google Vertex AI', ['vertex'], ['aiplatform.googleapis.com']),
  vendor('voyage', 'Voyage AI', [], ['api.voyageai.com']),
  vendor('xai', 'xAI', ['xai'], ['api.x.ai']),
  vendor('zai', 'Z.ai', [], ['api.z.ai']),
  vendor('zhipu', 'Zhipu', ['zhipu'], ['open.bigmodel.cn']),
];

/** The vendor of a provider: by the host of its address, which is certain, otherwise by its kind. */
export function vendorOf({ kind, host }: { readonly kind: string; readonly host: string | null }): CatalogueVendor | undefined {
  return (
    catalogueVendors.find(({ hosts }) => host !== null && hosts.includes(host)) ??
    catalogueVendors.find(({ kinds }) => kinds.includes(kind))
  );
}
