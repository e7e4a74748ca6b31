/** Cohere at its OpenAI-compatible endpoint. Source: https://docs.cohere.com/docs/compatibility-api */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'cohere',
  title: 'Cohere (compatibility API)',
  baseUrl: 'https://api.cohere.ai/compatibility/v1',
  source: 'https://docs.cohere.com/docs/compatibility-api',
  structuredOutput: { usual: 'json_schema', source: 'https://docs.cohere.com/docs/structured-outputs' },
  operations: ['chat', 'embeddings'],
  maxTokens: 'max_tokens',
  drops: ['user', 'service_tier', 'store', 'metadata', 'parallel_tool_calls', 'prediction'],
  refuses: ['n', 'logit_bias', 'top_logprobs', 'modalities', 'audio'],
  clamps: { temperature: [0, 1], presence_penalty: [0, 1], frequency_penalty: [0, 1] },
  limits: { stops: 5 },
  thoughtFields: [],
  thinking: { by: 'effort', words: ['none', 'high'] },
  embeddingsBatch: 96,
  finishReasons: { COMPLETE: 'stop', ERROR_TOXIC: 'content_filter', ERROR: 'failure', TIMEOUT: 'failure' },
});
