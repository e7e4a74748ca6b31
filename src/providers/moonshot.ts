/** Moonshot's Kimi. Facts: https://platform.moonshot.cn/docs/api/chat */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'moonshot',
  title: 'Moonshot Kimi',
  baseUrl: 'https://api.moonshot.cn/v1',
  otherUrls: ['https://api.moonshot.ai/v1'],
  source: 'https://platform.moonshot.cn/docs/api/chat',
  operations: ['chat'],
  maxTokens: 'max_tokens',
  drops: ['seed', 'user', 'parallel_tool_calls', 'service_tier', 'store', 'metadata'],
  refuses: ['logprobs', 'top_logprobs', 'logit_bias'],
  clamps: { temperature: [0, 1] },
  developerAsSystem: true,
  toolChoices: ['auto', 'none'],
  thinking: { by: 'thinking-type' },
  replays: ['reasoning_content'],
  errorCodes: {
    exceeded_current_quota_error: 'upstream_quota_exhausted',
    rate_limit_reached_error: 'rate_limited',
    engine_overloaded_error: 'upstream_unavailable',
    invalid_authentication_error: 'upstream_authentication',
    incorrect_api_key_error: 'upstream_authentication',
    permission_denied_error: 'upstream_authentication',
    resource_not_found_error: 'upstream_error',
    content_filter: 'content_filter',
  },
});
