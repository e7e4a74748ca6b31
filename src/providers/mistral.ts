/** Mistral. Content and reasoning are lists of parts; tool calls have no index. Source: https://docs.mistral.ai/api/ */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'mistral',
  title: 'Mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  source: 'https://docs.mistral.ai/api/',
  structuredOutput: { usual: 'json_schema', source: 'https://docs.mistral.ai/capabilities/structured-output/custom_structured_output/' },
  operations: ['chat', 'embeddings', 'transcriptions'],
  maxTokens: 'max_tokens',
  // Mistral refuses unknown fields, so all OpenAI fields that it lacks are dropped.
  drops: [
    'top_k',
    'seed',
    'user',
    'stream_options',
    'service_tier',
    'store',
    'metadata',
    'verbosity',
    'prompt_cache_key',
    'safety_identifier',
  ],
  refuses: ['logprobs', 'top_logprobs', 'logit_bias', 'modalities', 'audio', 'web_search_options'],
  clamps: { temperature: [0, 1.5] },
  developerAsSystem: true,
  // Thoughts are parts of the content here; unknown members are refused.
  thoughtFields: [],
  thinking: { by: 'effort', words: ['none', 'high'] },
  // The answer repeats the given beginning. https://docs.mistral.ai/guides/prefix/
  prefill: { message: { prefix: true }, repeats: true },
  finishReasons: { model_length: 'length', error: 'failure' },
  errorCodes: { 3000: 'upstream_error', 1500: 'upstream_error', 1300: 'rate_limited', 3505: 'upstream_unavailable' },
});
