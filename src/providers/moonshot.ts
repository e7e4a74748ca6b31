/**
 * Moonshot's Kimi. Models named kimi-* have fixed sampling and refuse other values. Those of the third generation always think, and take
 * an effort. Source: https://platform.kimi.com/docs/api/models-overview
 */
import { openaiVendor } from './compatible/vendor.ts';

const unknown = ['seed', 'user', 'parallel_tool_calls', 'service_tier', 'store', 'metadata'];
const fixed = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty'];

export default openaiVendor({
  kind: 'moonshot',
  title: 'Moonshot Kimi',
  baseUrl: 'https://api.moonshot.cn/v1',
  otherUrls: ['https://api.moonshot.ai/v1'],
  source: 'https://platform.kimi.com/docs/api/models-overview',
  structuredOutput: { usual: 'json_object', source: 'https://platform.kimi.com/docs/guide/use-json-mode-feature-of-kimi-api' },
  operations: ['chat'],
  maxTokens: 'max_completion_tokens',
  drops: unknown,
  refuses: ['logprobs', 'top_logprobs', 'logit_bias'],
  clamps: { temperature: [0, 1] },
  limits: { tools: 128, stops: 5 },
  developerAsSystem: true,
  toolChoices: ['auto', 'none'],
  thinking: { by: 'thinking-type' },
  variants: [
    {
      models: ['kimi-k3*'],
      drops: [...unknown, ...fixed],
      toolChoices: ['auto', 'none', 'required'],
      thinking: { by: 'effort', words: ['low', 'high', 'max'] },
    },
    { models: ['kimi-*'], drops: [...unknown, ...fixed] },
  ],
  // https://platform.kimi.ai/docs/guide/use-partial-mode-feature-of-kimi-api
  prefill: { message: { partial: true } },
  replays: ['reasoning_content'],
  errorCodes: {
    exceeded_current_quota_error: 'upstream_quota_exhausted',
    rate_limit_reached_error: 'rate_limited',
    engine_overloaded_error: 'upstream_unavailable',
    invalid_authentication_error: 'upstream_authentication',
    incorrect_api_key_error: 'upstream_authentication',
    permission_denied_error: 'upstream_authentication',
    resource_not_found_error: 'upstream_model_not_found',
    content_filter: 'content_filter',
  },
});
