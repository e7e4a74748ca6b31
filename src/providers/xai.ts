/** xAI's Grok. Source: https://docs.x.ai/docs/api-reference */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'xai',
  title: 'xAI Grok',
  baseUrl: 'https://api.x.ai/v1',
  source: 'https://docs.x.ai/docs/api-reference',
  structuredOutput: { usual: 'json_schema', source: 'https://www.developersdigest.tech/blog/structured-outputs-across-ai-apis-2026' },
  operations: ['chat', 'images'],
  responses: {
    models: ['*multi-agent*'],
    source: 'https://docs.x.ai/docs/guides/responses-api',
    features: ['web_search', 'x_search', 'code_interpreter', 'code_execution', 'file_search', 'collections_search'],
  },
  drops: ['store', 'metadata', 'service_tier', 'prompt_cache_key'],
  refuses: ['logit_bias'],
  limits: { tools: 200, stops: 4 },
  thoughtFields: [],
  thinking: { by: 'effort', words: ['none', 'low', 'medium', 'high'] },
});
