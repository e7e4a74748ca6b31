/** Any vendor or local server that speaks OpenAI's format as it is: nothing is changed on the way. */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'openai-compatible',
  title: "A service that speaks OpenAI's format",
  baseUrl: null,
  source: 'https://platform.openai.com/docs/api-reference/chat',
  structuredOutput: { usual: 'json_schema', source: null },
  operations: ['chat', 'embeddings', 'rerank', 'images', 'transcriptions', 'speech'],
  keyless: true,
  // What it can do, the administrator knows.
  prefill: {},
});
