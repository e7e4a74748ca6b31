/** Alibaba Cloud's DashScope (Tongyi Qianwen) in its native format. */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import { definePlugin, type UpstreamFailure } from '../types/plugin.ts';
import type { Provider, UpstreamCall } from '../types/provider.ts';
import { bearerSecret } from '../types/secret.ts';
import type { Reading } from '../types/wire-format.ts';
import { baseAddress } from './connection/base-address.ts';
import { finishReasonsOption, readingOf } from './compatible/reading.ts';

const bases = { cn: 'https://dashscope.aliyuncs.com', intl: 'https://dashscope-intl.aliyuncs.com' } as const;

const namePatterns = z.array(z.string().min(1).max(200)).max(200);

const options = z.strictObject({
  api_key: bearerSecret().describe('A key of Alibaba Cloud Model Studio (Bailian).'),
  region: z.enum(['cn', 'intl']).default('cn').describe('Mainland China, or the international service, which has keys of its own.'),
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .optional()
    .describe('Instead of the address of the region, without /api/v1; e.g. that of a workspace.'),
  multimodal_models: namePatterns
    .default(['*-vl*', 'qvq*', '*-omni*', '*-audio*', '*-asr*', '*-ocr*', 'qwen3.5-*', 'qwen3.6-*', 'qwen3.7-*'])
    .describe('Models behind the multimodal address. `*` matches any characters.'),
  stream_only_models: namePatterns
    .default(['qwq*', 'qvq*', '*-thinking*', '*-omni*', 'qwen3-*b'])
    .describe('Models that only answer as a stream; Pailou buffers the answer for callers that do not stream. `*` matches any characters.'),
  embeddings_batch: z.int().min(1).max(100).default(10).describe('Texts in one request: 10 is what every model takes, v1 and v2 take 25.'),
  finish_reasons: finishReasonsOption(),
});

const paths = {
  text: '/api/v1/services/aigc/text-generation/generation',
  multimodal: '/api/v1/services/aigc/multimodal-generation/generation',
  embeddings: '/api/v1/services/embeddings/text-embedding/text-embedding',
  rerank: '/api/v1/services/rerank/text-rerank/text-rerank',
} as const;

const errorCodes: NonNullable<Reading['errorCodes']> = {
  invalidapikey: 'upstream_authentication',
  accessdenied: 'upstream_authentication',
  'model.accessdenied': 'upstream_authentication',
  'workspace.accessdenied': 'upstream_authentication',
  'accessdenied.unpurchased': 'upstream_quota_exhausted',
  arrearage: 'upstream_quota_exhausted',
  commoditynotpurchased: 'upstream_quota_exhausted',
  prepaidbilloverdue: 'upstream_quota_exhausted',
  postpaidbilloverdue: 'upstream_quota_exhausted',
  'allocationquota.freetieronly': 'upstream_quota_exhausted',
  throttling: 'rate_limited',
  'throttling.ratequota': 'rate_limited',
  'throttling.burstrate': 'rate_limited',
  'throttling.allocationquota': 'rate_limited',
  'throttling.user': 'rate_limited',
  limitrequests: 'rate_limited',
  // The caller's model exists in Pailou. That DashScope lacks it is an administrator's fault.
  modelnotfound: 'upstream_model_not_found',
  'model.notfound': 'upstream_model_not_found',
  datainspectionfailed: 'content_filter',
  data_inspection_failed: 'content_filter',
  ipinfringementsuspect: 'content_filter',
  requesttimeout: 'upstream_timeout',
  modelunavailable: 'upstream_unavailable',
  modelserviceunavailable: 'upstream_unavailable',
  modelservingerror: 'upstream_unavailable',
  systemerror: 'upstream_error',
  internalerror: 'upstream_error',
  'internalerror.algo': 'upstream_error',
  'internalerror.timeout': 'upstream_timeout',
};

function matcher(patterns: readonly string[]): (model: string) => boolean {
  const alternatives = patterns.map((pattern) =>
    pattern
      .split('*')
      .map((text) => RegExp.escape(text))
      .join('.*'),
  );
  const any = new RegExp(`^(?:${alternatives.join('|')})$`, 'i');
  return (model) => patterns.length > 0 && any.test(model);
}

/** Applies `change` to each message of a chat request. */
function withMessages(body: JsonObject, change: (message: JsonObject, index: number) => JsonObject): JsonObject {
  const input = body['input'];
  const messages = isJsonObject(input) ? input['messages'] : undefined;
  if (!isJsonObject(input) || !Array.isArray(messages)) return body;
  return {
    ...body,
    input: { ...input, messages: messages.map((message: Json, index) => (isJsonObject(message) ? change(message, index) : message)) },
  };
}

/** The multimodal address requires content as parts, the other one as text. */
function adjustFor(multimodal: (model: string) => boolean): (body: JsonObject, call: UpstreamCall) => JsonObject {
  return (body, { operation, model }) => {
    if (operation !== 'chat') return body;
    if (multimodal(model)) {
      return withMessages(body, (message) =>
        typeof message['content'] === 'string' ? { ...message, content: [{ text: message['content'] }] } : message,
      );
    }
    return withMessages(body, (message, index) => {
      if (!Array.isArray(message['content'])) return message;
      throw new GatewayError(
        'unsupported_parameter',
        `messages[${index}].content: this DashScope model takes text only. Leave pictures, sound and video out or use a multimodal model.`,
        { param: `messages[${index}].content` },
      );
    });
  };
}

/** DashScope reports an unknown model as an invalid parameter. Only the message distinguishes it from a caller's fault. */
function classify({ status, body }: UpstreamFailure): GatewayError | undefined {
  if (
    status !== 400 ||
    !/"InvalidParameter"/.test(body) ||
    !/model not exist|unsupported model|model .{0,80} (not found|does not exist)/i.test(body)
  )
    return undefined;
  return new GatewayError('upstream_model_not_found', 'The vendor does not know this model. Tell your administrator.', {
    details: { status, code: 'InvalidParameter', text: body.slice(0, 500) },
  });
}

export default definePlugin({
  type: 'provider',
  kind: 'dashscope',
  title: 'DashScope (Tongyi Qianwen), native format',
  options,
  create({ api_key, region, base_url, multimodal_models, stream_only_models, embeddings_batch, ...answers }, services): Provider {
    const base = baseAddress(services.checkUrl(base_url ?? bases[region], 'spec.options.base_url'), /\/api\/v1$/);
    const multimodal = matcher(multimodal_models);
    return {
      structuredOutput: { usual: 'json_object', source: 'https://help.aliyun.com/zh/model-studio/json-mode' },
      formats: { chat: 'dashscope', embeddings: 'dashscope', rerank: 'dashscope' },
      address({ operation, model }) {
        if (operation === 'embeddings' || operation === 'rerank') return base.at(paths[operation]);
        return base.at(multimodal(model) ? paths.multimodal : paths.text);
      },
      authorize(headers) {
        headers['authorization'] = `Bearer ${api_key}`;
      },
      adjust: adjustFor(multimodal),
      ...readingOf({ errorCodes }, answers),
      thoughtFields: ['reasoning_content'],
      mustStream: matcher(stream_only_models),
      // Only without thinking. https://help.aliyun.com/zh/model-studio/partial-mode
      prefill: () => ({ message: { partial: true } }),
      embeddingsBatch: embeddings_batch,
      classify,
    };
  },
});
