/** StepFun. Source: https://platform.stepfun.com/docs/api-reference/chat/chat-completion-create */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'stepfun',
  title: 'StepFun',
  baseUrl: 'https://api.stepfun.com/v1',
  otherUrls: ['https://api.stepfun.ai/v1'],
  source: 'https://platform.stepfun.com/docs/api-reference/chat/chat-completion-create',
  structuredOutput: { usual: 'json_object', source: 'https://platform.stepfun.com/docs/zh/guide/json_mode' },
  operations: ['chat', 'images', 'transcriptions', 'speech'],
  maxTokens: 'max_tokens',
  drops: ['seed', 'user', 'service_tier', 'store', 'metadata', 'parallel_tool_calls', 'presence_penalty'],
  refuses: ['logprobs', 'top_logprobs', 'logit_bias'],
  developerAsSystem: true,
  thinking: { by: 'effort', words: ['low', 'medium', 'high'] },
  errorCodes: {
    censorship_blocked: 'content_filter',
    quota_exceeded: 'upstream_quota_exhausted',
    engine_overloaded: 'upstream_unavailable',
  },
});
