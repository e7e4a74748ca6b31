/** Baidu's Qianfan. Source: https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb */
import { openaiVendor } from './compatible/vendor.ts';

export default openaiVendor({
  kind: 'qianfan',
  title: 'Baidu Qianfan',
  baseUrl: 'https://qianfan.baidubce.com/v2',
  source: 'https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb',
  structuredOutput: { usual: 'json_object', source: null },
  operations: ['chat', 'embeddings', 'rerank', 'images'],
  drops: ['service_tier', 'store'],
  refuses: ['n', 'logprobs', 'top_logprobs', 'logit_bias'],
  limits: { stops: 4 },
  developerAsSystem: true,
  // https://cloud.baidu.com/doc/qianfan-api/s/5mwsodmx3
  thinking: { by: 'enable-thinking', budget: true },
  variants: [{ models: ['deepseek-*', 'glm-*', 'kimi-*', 'ernie-5.5*', 'ernie-light*'], thinking: { by: 'thinking-type' } }],
  embeddingsBatch: 16,
  errorCodes: {
    invalid_iam_token: 'upstream_authentication',
    account_overdue: 'upstream_quota_exhausted',
    coupon_quota_used_up: 'upstream_quota_exhausted',
    rpm_rate_limit_exceeded: 'rate_limited',
    tpm_rate_limit_exceeded: 'rate_limited',
    preemptible_tpm_rate_limit_exceeded: 'rate_limited',
    user_rate_limit_exceeded: 'rate_limited',
    cluster_rate_limit_exceeded: 'rate_limited',
    server_high_load: 'upstream_unavailable',
  },
});
