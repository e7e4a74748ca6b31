/** llama.cpp's server. Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'llamacpp',
  title: 'llama.cpp',
  baseUrl: 'http://127.0.0.1:8080/v1',
  source: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
  structuredOutput: { usual: 'json_schema', source: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md' },
  operations: ['chat', 'embeddings', 'rerank'],
  keyless: true,
  developerAsSystem: true,
  thinking: { by: 'chat-template' },
  thinkTags: true,
  prefill: {},
  errorCodes: { exceed_context_size_error: 'context_length_exceeded', unavailable_error: 'upstream_unavailable' },
});
