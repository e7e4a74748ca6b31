/** Tongyi Qianwen in compatible mode. Source: https://help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'qwen',
  title: 'Tongyi Qwen (compatible mode)',
  baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
  otherUrls: ['https://dashscope-intl.aliyuncs.com/compatible-mode/v1'],
  source: 'https://help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions',
  structuredOutput: { usual: 'json_object', source: 'https://help.aliyun.com/zh/model-studio/json-mode' },
  operations: ['chat', 'embeddings'],
  maxTokens: 'max_tokens',
  drops: ['user', 'service_tier', 'store', 'metadata', 'frequency_penalty'],
  refuses: ['logit_bias'],
  clamps: { temperature: [0, 1.99], top_p: [0.000001, 1] },
  developerAsSystem: true,
  thinking: { by: 'enable-thinking', budget: true },
  streamOnly: ['qwq-*', 'qvq-*', '*-thinking-*', 'qwen-omni-*', 'qwen2.5-omni-*', 'qwen3-omni-*'],
  // Only without thinking. https://help.aliyun.com/zh/model-studio/partial-mode
  prefill: { message: { partial: true } },
  embeddingsBatch: 10,
  errorCodes: {
    arrearage: 'upstream_quota_exhausted',
    invalidapikey: 'upstream_authentication',
    accessdenied: 'upstream_authentication',
    'accessdenied.unpurchased': 'upstream_authentication',
    modelnotfound: 'upstream_model_not_found',
    model_not_found: 'upstream_model_not_found',
    data_inspection_failed: 'content_filter',
    datainspectionfailed: 'content_filter',
    limit_requests: 'rate_limited',
    'throttling.ratequota': 'rate_limited',
    'throttling.allocationquota': 'rate_limited',
  },
});
