/** OpenRouter: many vendors behind one API; reasoning goes both ways as `reasoning_details`. Source: https://openrouter.ai/docs/api-reference/overview */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'openrouter',
  title: 'OpenRouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  source: 'https://openrouter.ai/docs/api-reference/overview',
  structuredOutput: { usual: 'json_schema', source: 'https://openrouter.ai/docs/structured-outputs' },
  operations: ['chat', 'embeddings'],
  drops: ['store'],
  // Each would call another model than the deployment names, which its caller may have no right to.
  refuses: ['models', 'route', 'preset'],
  thinking: { by: 'reasoning-object' },
  replays: ['reasoning_content', 'reasoning_details'],
  limits: { stops: 4 },
  cacheControl: true,
  usage: { cost: ['usage.cost'] },
  costCurrency: 'USD',
  prefill: {},
  errorCodes: { 402: 'upstream_quota_exhausted', 403: 'content_filter', 408: 'upstream_timeout', 502: 'upstream_unavailable' },
});
