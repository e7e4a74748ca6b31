/** Fireworks. Source: https://docs.fireworks.ai/api-reference/post-chatcompletions */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'fireworks',
  title: 'Fireworks',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  source: 'https://docs.fireworks.ai/api-reference/post-chatcompletions',
  structuredOutput: { usual: 'json_schema', source: 'https://docs.fireworks.ai/structured-responses/structured-response-formatting' },
  operations: ['chat', 'embeddings', 'rerank'],
  drops: ['service_tier', 'store', 'metadata', 'parallel_tool_calls'],
  limits: { stops: 4 },
  developerAsSystem: true,
  thinking: { by: 'effort', words: ['none', 'low', 'medium', 'high', 'xhigh', 'max'] },
});
