/** Ollama's OpenAI-compatible endpoint; the kind `ollama` uses its native format. Source: https://docs.ollama.com/openai */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'ollama-openai',
  title: 'Ollama (OpenAI endpoint)',
  baseUrl: 'http://127.0.0.1:11434/v1',
  source: 'https://docs.ollama.com/openai',
  structuredOutput: { usual: 'json_schema', source: 'https://ollama.com/blog/structured-outputs' },
  operations: ['chat', 'embeddings'],
  keyless: true,
  maxTokens: 'max_tokens',
  developerAsSystem: true,
  drops: ['user', 'store', 'metadata', 'service_tier', 'parallel_tool_calls'],
  refuses: ['n', 'logprobs', 'top_logprobs', 'logit_bias'],
  toolChoices: ['auto', 'none'],
  // A last assistant message is continued, as at the native endpoint.
  prefill: {},
  thoughtFields: ['reasoning'],
  thinking: { by: 'effort', words: ['none', 'low', 'medium', 'high'] },
});
