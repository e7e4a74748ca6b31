/** The vendors of LiteLLM by the prefix of its model names, with the kind of provider here. Source: https://docs.litellm.ai/docs/providers */

export interface LiteLlmVendor {
  readonly kind: string;
  /** The variable of the key, where the configuration names none. Absent: no key is needed. */
  readonly key?: string;
  /** The address, where the configuration names none and the kind has another one. */
  readonly address?: string;
}

const compatible = (address: string | null, key?: string): LiteLlmVendor => ({
  kind: 'openai-compatible',
  ...(address === null ? {} : { address }),
  ...(key === undefined ? {} : { key }),
});

export const liteLlmVendors: Readonly<Record<string, LiteLlmVendor>> = {
  openai: { kind: 'openai', key: 'OPENAI_API_KEY' },
  azure: { kind: 'azure', key: 'AZURE_API_KEY' },
  anthropic: { kind: 'anthropic', key: 'ANTHROPIC_API_KEY' },
  gemini: { kind: 'gemini', key: 'GEMINI_API_KEY' },
  vertex_ai: { kind: 'vertex' },
  vertex_ai_beta: { kind: 'vertex' },
  bedrock: { kind: 'bedrock' },
  groq: { kind: 'groq', key: 'GROQ_API_KEY' },
  mistral: { kind: 'mistral', key: 'MISTRAL_API_KEY' },
  deepseek: { kind: 'deepseek', key: 'DEEPSEEK_API_KEY' },
  openrouter: { kind: 'openrouter', key: 'OPENROUTER_API_KEY' },
  together_ai: { kind: 'together', key: 'TOGETHERAI_API_KEY' },
  fireworks_ai: { kind: 'fireworks', key: 'FIREWORKS_AI_API_KEY' },
  xai: { kind: 'xai', key: 'XAI_API_KEY' },
  cohere: { kind: 'cohere', key: 'COHERE_API_KEY' },
  cohere_chat: { kind: 'cohere', key: 'COHERE_API_KEY' },
  dashscope: { kind: 'qwen', key: 'DASHSCOPE_API_KEY', address: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1' },
  moonshot: { kind: 'moonshot', key: 'MOONSHOT_API_KEY', address: 'https://api.moonshot.ai/v1' },
  minimax: { kind: 'minimax', key: 'MINIMAX_API_KEY', address: 'https://api.minimax.io/v1' },
  volcengine: { kind: 'doubao', key: 'VOLCENGINE_API_KEY' },
  zai: { kind: 'zhipu', key: 'ZAI_API_KEY', address: 'https://api.z.ai/api/paas/v4' },
  ollama: { kind: 'ollama' },
  ollama_chat: { kind: 'ollama' },
  hosted_vllm: { kind: 'vllm' },
  vllm: { kind: 'vllm' },
  lm_studio: { kind: 'lmstudio' },
  llamafile: { kind: 'llamacpp' },
  xinference: { kind: 'xinference' },
  perplexity: compatible('https://api.perplexity.ai', 'PERPLEXITYAI_API_KEY'),
  nvidia_nim: compatible('https://integrate.api.nvidia.com/v1', 'NVIDIA_NIM_API_KEY'),
  cerebras: compatible('https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY'),
  sambanova: compatible('https://api.sambanova.ai/v1', 'SAMBANOVA_API_KEY'),
  deepinfra: compatible('https://api.deepinfra.com/v1/openai', 'DEEPINFRA_API_KEY'),
  hyperbolic: compatible('https://api.hyperbolic.xyz/v1', 'HYPERBOLIC_API_KEY'),
  novita: compatible('https://api.novita.ai/v3/openai', 'NOVITA_API_KEY'),
  nebius: compatible('https://api.studio.nebius.ai/v1', 'NEBIUS_API_KEY'),
  openai_like: compatible(null),
  custom_openai: compatible(null),
  litellm_proxy: compatible(null),
  azure_ai: compatible(null, 'AZURE_AI_API_KEY'),
};

/** The vendor of a model name without a prefix, as LiteLLM knows the common names; null for an unknown one. */
export function vendorOfBareName(model: string): string | null {
  if (/^(gpt-|chatgpt-|o\d|text-embedding-|dall-e|whisper-|tts-)/.test(model)) return 'openai';
  if (model.startsWith('claude-')) return 'anthropic';
  if (model.startsWith('gemini-')) return 'vertex_ai';
  if (model.startsWith('command-')) return 'cohere';
  if (model.startsWith('mistral-')) return 'mistral';
  return null;
}
