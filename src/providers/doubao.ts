/** ByteDance's Doubao on Volcano Ark; models are named by endpoint id or by name. Source: https://www.volcengine.com/docs/82379/1494384 */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'doubao',
  title: 'Doubao (Volcano Ark)',
  baseUrl: 'https://ark.cn-beijing.volces.com/api/v3',
  source: 'https://www.volcengine.com/docs/82379/1494384',
  structuredOutput: { usual: 'json_object', source: null },
  operations: ['chat', 'embeddings', 'images'],
  drops: ['seed', 'user', 'store', 'metadata'],
  refuses: ['n'],
  limits: { stops: 4 },
  developerAsSystem: true,
  thinking: { by: 'thinking-type', efforts: ['minimal', 'low', 'medium', 'high'] },
  // Endpoint ids do not tell the model; models that want no thoughts ignore them.
  replays: ['reasoning_content'],
  // Only without thinking. https://www.volcengine.com/docs/82379/1359497
  prefill: {},
  errorCodes: {
    accountoverdueerror: 'upstream_quota_exhausted',
    quotaexceeded: 'upstream_quota_exhausted',
    ratelimitexceeded: 'rate_limited',
    serveroverloaded: 'upstream_unavailable',
    authenticationerror: 'upstream_authentication',
    accessdenied: 'upstream_authentication',
    sensitivecontentdetected: 'content_filter',
    inputtextsensitivecontentdetected: 'content_filter',
    outputtextsensitivecontentdetected: 'content_filter',
  },
});
