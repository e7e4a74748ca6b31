/** The types of channels of new-api by number, with the kind of provider here. Source: constant/channel.go of new-api */

export interface ChannelVendor {
  readonly kind: string;
  /** The address without `path`, where the channel names none and the kind has another one. */
  readonly address?: string;
  /** The part of the address behind that of the channel. */
  readonly path?: string;
}

/** The address of a channel ends before /v1. */
const openAiFormat = (address?: string): ChannelVendor => ({
  kind: 'openai-compatible',
  path: '/v1',
  ...(address === undefined ? {} : { address }),
});

export const channelVendors: Readonly<Record<number, ChannelVendor>> = {
  1: { kind: 'openai', path: '/v1' },
  3: { kind: 'azure' },
  4: { kind: 'ollama' },
  6: openAiFormat('https://api.openaimax.com'),
  7: openAiFormat('https://api.ohmygpt.com'),
  8: openAiFormat(),
  10: openAiFormat('https://api.aiproxy.io'),
  12: openAiFormat('https://api.api2gpt.com'),
  13: openAiFormat('https://api.aigc2d.com'),
  14: { kind: 'anthropic' },
  16: { kind: 'zhipu', path: '/api/paas/v4' },
  17: { kind: 'qwen', path: '/compatible-mode/v1' },
  19: openAiFormat('https://api.360.cn'),
  20: { kind: 'openrouter', path: '/v1' },
  24: { kind: 'gemini', path: '/v1beta' },
  25: { kind: 'moonshot', path: '/v1' },
  26: { kind: 'zhipu', path: '/api/paas/v4' },
  27: { kind: 'openai-compatible', address: 'https://api.perplexity.ai' },
  31: openAiFormat('https://api.lingyiwanwu.com'),
  33: { kind: 'bedrock' },
  34: { kind: 'cohere', path: '/compatibility/v1' },
  35: { kind: 'minimax', path: '/v1' },
  38: openAiFormat('https://api.jina.ai'),
  40: { kind: 'siliconflow', path: '/v1' },
  42: { kind: 'mistral', path: '/v1' },
  43: { kind: 'deepseek' },
  45: { kind: 'doubao', path: '/api/v3' },
  46: { kind: 'qianfan', path: '/v2' },
  47: { kind: 'xinference', path: '/v1' },
  48: { kind: 'xai', path: '/v1' },
};

/** Names for what has no counterpart. */
export const otherChannels: Readonly<Record<number, string>> = {
  2: 'Midjourney',
  5: 'Midjourney Plus',
  11: 'PaLM',
  15: 'Baidu (the interface before Qianfan v2)',
  18: 'iFlytek Spark (WebSocket)',
  21: 'AI Proxy Library',
  22: 'FastGPT',
  23: 'Tencent (the interface with three keys)',
  36: 'Suno',
  37: 'Dify',
  39: 'Cloudflare',
  41: 'Vertex AI',
  44: 'Moka AI',
  49: 'Coze',
  50: 'Kling',
  51: 'Jimeng',
};
