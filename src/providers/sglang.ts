/** SGLang. Source: https://docs.sglang.ai/basic_usage/openai_api_completions.html */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'sglang',
  title: 'SGLang',
  baseUrl: 'http://127.0.0.1:30000/v1',
  source: 'https://docs.sglang.ai/basic_usage/openai_api_completions.html',
  structuredOutput: { usual: 'json_schema', source: null },
  operations: ['chat', 'embeddings', 'rerank'],
  keyless: true,
  thinking: { by: 'chat-template' },
  thinkTags: true,
  prefill: { body: { continue_final_message: true } },
  finishReasons: { abort: 'failure' },
});
