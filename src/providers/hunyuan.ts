/** Tencent's Hunyuan at its OpenAI-compatible endpoint. Source: https://cloud.tencent.com/document/product/1729/111007 */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'hunyuan',
  title: 'Tencent Hunyuan',
  baseUrl: 'https://api.hunyuan.cloud.tencent.com/v1',
  otherUrls: ['https://tokenhub.tencentmaas.com/v1'],
  source: 'https://cloud.tencent.com/document/product/1729/111007',
  structuredOutput: { usual: 'none', source: 'https://cloud.tencent.com/document/product/1729/111007' },
  operations: ['chat', 'embeddings'],
  maxTokens: 'max_tokens',
  drops: ['presence_penalty', 'frequency_penalty', 'user', 'service_tier', 'store', 'metadata', 'parallel_tool_calls'],
  refuses: ['n', 'logprobs', 'top_logprobs', 'logit_bias'],
  developerAsSystem: true,
  // https://cloud.tencent.com/document/product/1823/131208
  thinking: { by: 'thinking-type', efforts: ['low', 'high'] },
  replays: ['reasoning_content'],
  variants: [{ models: ['hunyuan-a13b*'], thinking: { by: 'enable-thinking', budget: false } }],
  finishReasons: { sensitive: 'content_filter' },
});
