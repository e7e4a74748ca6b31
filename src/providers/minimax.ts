/** MiniMax. Errors have status 200 and `base_resp`. M2 models always think. Source: https://platform.minimax.io/docs/api-reference/text-openai-api */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'minimax',
  title: 'MiniMax',
  baseUrl: 'https://api.minimaxi.com/v1',
  otherUrls: ['https://api.minimax.io/v1', 'https://api.minimax.chat/v1'],
  source: 'https://platform.minimax.io/docs/api-reference/text-openai-api',
  structuredOutput: {
    usual: 'none',
    models: { 'MiniMax-Text-01': 'json_schema' },
    source: 'https://platform.minimaxi.com/docs/api-reference/text-post',
  },
  operations: ['chat'],
  maxTokens: 'max_completion_tokens',
  drops: ['presence_penalty', 'frequency_penalty', 'seed', 'user', 'service_tier', 'store', 'metadata', 'parallel_tool_calls'],
  refuses: ['n', 'logprobs', 'top_logprobs', 'logit_bias'],
  clamps: { temperature: [0.01, 1] },
  developerAsSystem: true,
  thinking: { by: 'thinking-type', on: 'adaptive' },
  // Thoughts come beside the text and go back in the same form; see "Important Note" of the source.
  sets: { reasoning_split: true },
  thoughtFields: ['reasoning_content', 'reasoning_details'],
  detailsFormat: 'MiniMax-response-v1',
  replays: ['reasoning_content', 'reasoning_details'],
  thinkTags: true,
  errorCodes: {
    1000: 'upstream_error',
    1001: 'upstream_timeout',
    1002: 'rate_limited',
    1004: 'upstream_authentication',
    1008: 'upstream_quota_exhausted',
    1013: 'upstream_error',
    1026: 'content_filter',
    1027: 'content_filter',
    1039: 'rate_limited',
    2013: 'invalid_request',
    2049: 'upstream_authentication',
  },
});
