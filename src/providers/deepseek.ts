/** DeepSeek. Source: https://api-docs.deepseek.com/ */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'deepseek',
  title: 'DeepSeek',
  baseUrl: 'https://api.deepseek.com',
  otherUrls: ['https://api.deepseek.com/beta'],
  source: 'https://api-docs.deepseek.com/api/create-chat-completion',
  structuredOutput: { usual: 'json_object', source: 'https://api-docs.deepseek.com/quick_start/pricing' },
  operations: ['chat'],
  responses: { models: [], source: 'https://api-docs.deepseek.com/guides/responses_api', features: [] },
  maxTokens: 'max_tokens',
  drops: ['seed', 'user', 'parallel_tool_calls', 'service_tier', 'store', 'metadata'],
  refuses: ['n', 'logit_bias'],
  limits: { tools: 128, stops: 16 },
  developerAsSystem: true,
  // DeepSeek maps all OpenAI values to its own low, high and max. https://api-docs.deepseek.com/guides/thinking_mode
  thinking: { by: 'thinking-type', efforts: 'any' },
  replays: ['reasoning_content'],
  // Only at the address that ends in /beta. https://api-docs.deepseek.com/guides/chat_prefix_completion
  prefill: { message: { prefix: true } },
  finishReasons: { insufficient_system_resource: 'failure' },
  errorCodes: { insufficient_balance: 'upstream_quota_exhausted' },
});
