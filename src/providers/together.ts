/** Together. Source: https://docs.together.ai/reference/chat-completions-1 */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'together',
  title: 'Together',
  baseUrl: 'https://api.together.xyz/v1',
  source: 'https://docs.together.ai/reference/chat-completions-1',
  structuredOutput: { usual: 'json_schema', source: 'https://docs.together.ai/docs/inference/chat/structured-outputs' },
  operations: ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'],
  maxTokens: 'max_tokens',
  drops: ['user', 'service_tier', 'store', 'metadata', 'parallel_tool_calls'],
  limits: { stops: 4 },
  developerAsSystem: true,
  thinking: { by: 'effort', words: ['low', 'medium', 'high', 'max'], off: { reasoning: { enabled: false } } },
  // https://docs.together.ai/docs/glm-5.3-quickstart
  thoughtFields: ['reasoning_content', 'reasoning'],
  finishReasons: { eos: 'stop' },
});
