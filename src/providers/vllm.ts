/** vLLM. Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'vllm',
  title: 'vLLM',
  baseUrl: 'http://127.0.0.1:8000/v1',
  source: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
  structuredOutput: { usual: 'json_schema', source: 'https://docs.vllm.ai/en/latest/features/structured_outputs/' },
  operations: ['chat', 'embeddings', 'rerank', 'transcriptions'],
  keyless: true,
  thinking: { by: 'chat-template' },
  // Versions differ in the name. https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs/
  thoughtFields: ['reasoning_content', 'reasoning'],
  thinkTags: true,
  prefill: { body: { continue_final_message: true, add_generation_prompt: false } },
  finishReasons: { abort: 'failure' },
});
