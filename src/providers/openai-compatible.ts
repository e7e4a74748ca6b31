/** Any vendor or local server with OpenAI's format: requests are forwarded unchanged. */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'openai-compatible',
  title: "A service that speaks OpenAI's format",
  baseUrl: null,
  source: 'https://platform.openai.com/docs/api-reference/chat',
  structuredOutput: { usual: 'json_schema', source: null },
  operations: ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'],
  responses: { models: [], source: null },
  keyless: true,
  // Only to values that the model is known to take.
  thinking: { by: 'effort' },
  // The administrator knows the server's abilities.
  prefill: {},
});
