/** Xinference. Source: https://inference.readthedocs.io/ */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'xinference',
  title: 'Xinference',
  baseUrl: 'http://127.0.0.1:9997/v1',
  source: 'https://inference.readthedocs.io/en/latest/user_guide/client_api.html',
  structuredOutput: { usual: 'json_schema', source: null },
  operations: ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'],
  keyless: true,
  maxTokens: 'max_tokens',
  developerAsSystem: true,
  thinking: { by: 'chat-template' },
  thinkTags: true,
});
