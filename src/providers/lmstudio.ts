/** LM Studio. Source: https://lmstudio.ai/docs/developer/openai-compat */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'lmstudio',
  title: 'LM Studio',
  baseUrl: 'http://127.0.0.1:1234/v1',
  source: 'https://lmstudio.ai/docs/developer/openai-compat',
  structuredOutput: { usual: 'json_schema', source: 'https://lmstudio.ai/docs/api/structured-output' },
  operations: ['chat', 'embeddings'],
  keyless: true,
  developerAsSystem: true,
  drops: ['store', 'metadata', 'service_tier', 'parallel_tool_calls'],
  refuses: ['n', 'logprobs', 'top_logprobs'],
  thinking: { by: 'effort', words: ['low', 'medium', 'high'] },
  thinkTags: true,
});
