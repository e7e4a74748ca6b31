/** SiliconFlow. Source: https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'siliconflow',
  title: 'SiliconFlow',
  baseUrl: 'https://api.siliconflow.cn/v1',
  otherUrls: ['https://api.siliconflow.com/v1'],
  source: 'https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions',
  structuredOutput: { usual: 'json_object', source: 'https://docs.siliconflow.cn/cn/userguide/guides/json-mode' },
  operations: ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'],
  maxTokens: 'max_tokens',
  drops: ['user', 'service_tier', 'store', 'metadata', 'parallel_tool_calls'],
  refuses: ['logprobs', 'top_logprobs', 'logit_bias'],
  limits: { tools: 128, stops: 4 },
  developerAsSystem: true,
  thinking: { by: 'enable-thinking', budget: true },
  embeddingsBatch: 32,
  errorCodes: {
    30001: 'upstream_quota_exhausted',
    20012: 'upstream_model_not_found',
    20015: 'invalid_request',
    50501: 'upstream_unavailable',
    50505: 'upstream_unavailable',
    50507: 'upstream_error',
  },
});
