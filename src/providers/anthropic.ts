/** Anthropic itself, and the addresses where other vendors (Zhipu, Qwen, DeepSeek, Moonshot, MiniMax) accept its format. */
import { z } from 'zod';
import { type ErrorCode, GatewayError } from '../types/errors.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';
import { withoutBillingLine } from '../text/billing-line.ts';
import { definePlugin } from '../types/plugin.ts';
import type { Provider, UpstreamCall, UpstreamFailure } from '../types/provider.ts';
import { bearerSecret } from '../types/secret.ts';
import { baseAddress } from './connection/base-address.ts';
import { claudePrefill } from './claude/prefill.ts';
import { finishReasonsOption, readingOf } from './compatible/reading.ts';

const options = z.strictObject({
  api_key: bearerSecret().describe('A key of platform.claude.com, or of the vendor behind base_url.'),
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .default('https://api.anthropic.com')
    .describe('Without /v1/messages, such as https://open.bigmodel.cn/api/anthropic.'),
  auth: z
    .enum(['x-api-key', 'bearer'])
    .default('x-api-key')
    .describe('How the key is sent; some vendors of this format want a bearer token.'),
  version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2023-06-01')
    .default('2023-06-01')
    .describe('Sent as anthropic-version. The newest takes no temperature, top_p and top_k, whatever the model.'),
  betas: z
    .array(z.string().regex(/^[\w.-]{1,100}$/, 'must be the name of a beta feature'))
    .max(20)
    .default([])
    .describe('Sent as anthropic-beta with each call.'),
  finish_reasons: finishReasonsOption(),
});

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

const quota: Failure = {
  code: 'upstream_quota_exhausted',
  message: "The company's account at the vendor is used up. Tell your administrator.",
};
const context: Failure = {
  code: 'context_length_exceeded',
  message: 'The input is longer than this model takes. Shorten it, lower max_tokens or use a model with a larger context.',
};
const size: Failure = {
  code: 'body_too_large',
  message: 'The request is larger than this vendor takes. Send fewer or smaller pictures and files.',
};

/** Faults that neither the status nor the type shows. Anthropic reports a spending limit as a rate limit, and an empty account as a caller's fault. */
function failureFor(type: unknown, detail: unknown, message: string): Failure | undefined {
  if (typeof detail === 'string' && /spend_limit|billing|not_billable/.test(detail)) return quota;
  if (/credit balance is too low/i.test(message)) return quota;
  if (/exceed context limit|prompt is too long/i.test(message)) return context;
  return type === 'request_too_large' ? size : undefined;
}

function errorIn(body: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isJsonObject(parsed) && isJsonObject(parsed['error']) ? parsed['error'] : undefined;
  } catch {
    return undefined;
  }
}

function classify({ status, body }: UpstreamFailure): GatewayError | undefined {
  const error = errorIn(body);
  const message = typeof error?.['message'] === 'string' ? error['message'] : '';
  const { details } = error ?? {};
  const failure = failureFor(error?.['type'], isJsonObject(details) ? details['error_code'] : undefined, message);
  if (failure === undefined) return undefined;
  return new GatewayError(failure.code, failure.message, {
    details: { status, type: error?.['type'] ?? null, text: message.slice(0, 500) },
  });
}

/** The first version without sampling parameters. */
const withoutSampling = '2026-10-21';

function dropSampling(body: JsonObject, call: UpstreamCall): JsonObject {
  const { temperature, top_p: topP, top_k: topK, ...rest } = body;
  for (const [field, value] of Object.entries({ temperature, top_p: topP, top_k: topK })) {
    if (value !== undefined && value !== null) call.warn(`${field} left out: this version of the API has none`);
  }
  return rest;
}

/** Anthropic's own service: other vendors that accept the format have no use for the billing line. */
function isAnthropic(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'anthropic.com' || hostname.endsWith('.anthropic.com');
}

function dropBillingLine(body: JsonObject): JsonObject {
  const system = withoutBillingLine(body['system']);
  if (system === body['system']) return body;
  const { system: _line, ...rest } = body;
  return system === undefined ? rest : { ...rest, system };
}

/** Undefined when requests go as they are. */
function adjusterOf(address: string, version: string): Provider['adjust'] {
  const own = isAnthropic(address);
  if (version < withoutSampling) return own ? undefined : dropBillingLine;
  return own ? dropSampling : (body, call) => dropSampling(dropBillingLine(body), call);
}

export default definePlugin({
  type: 'provider',
  kind: 'anthropic',
  title: 'Anthropic',
  options,
  create({ api_key, base_url, auth, version, betas, ...answers }, services): Provider {
    const base = baseAddress(services.checkUrl(base_url, 'spec.options.base_url'), /(\/v1)?(\/messages)?$/);
    const adjust = adjusterOf(base_url, version);
    return {
      structuredOutput: { usual: 'json_schema', source: 'https://platform.claude.com/docs/en/build-with-claude/structured-outputs' },
      formats: { chat: 'anthropic' },
      address: () => base.at('/v1/messages'),
      modelsAddress: (most) => base.at(`/v1/models?limit=${most}`),
      authorize(headers) {
        if (auth === 'bearer') headers['authorization'] = `Bearer ${api_key}`;
        else headers['x-api-key'] = api_key;
        headers['anthropic-version'] = version;
        const requested = headers['anthropic-beta']?.split(',').map((each) => each.trim()) ?? [];
        const all = new Set([...requested, ...betas].filter((each) => each !== ''));
        if (all.size > 0) headers['anthropic-beta'] = [...all].join(',');
      },
      ...(adjust === undefined ? {} : { adjust }),
      // The administrator knows the models of other vendors that accept this format.
      prefill: (model) => claudePrefill(model, {}),
      classify,
      ...readingOf({}, answers),
    };
  },
});
