/** Groq. Source: https://console.groq.com/docs/openai */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'groq',
  title: 'Groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  source: 'https://console.groq.com/docs/openai',
  structuredOutput: {
    usual: 'json_object',
    models: { 'openai/gpt-oss-*': 'json_schema' },
    source: 'https://console.groq.com/docs/structured-outputs',
  },
  operations: ['chat', 'transcriptions', 'speech'],
  drops: ['top_k', 'store', 'metadata', 'prompt_cache_key', 'safety_identifier', 'verbosity'],
  refuses: ['n', 'logprobs', 'top_logprobs', 'logit_bias'],
  thinking: { by: 'effort', words: ['none', 'low', 'medium', 'high'] },
  limits: { tools: 128, stops: 4 },
  thoughtFields: ['reasoning'],
  // https://console.groq.com/docs/prefilling
  prefill: {},
  errorCodes: { organization_restricted: 'upstream_authentication', over_capacity: 'upstream_unavailable' },
});
