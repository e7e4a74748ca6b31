/** Amazon Bedrock, with an API key or with the access keys of an AWS user or role. */
import { AwsV4Signer } from 'aws4fetch';
import { z } from 'zod';
import { type ErrorCode, GatewayError } from '../types/errors.ts';
import { definePlugin } from '../types/plugin.ts';
import type { Outgoing, Provider, UpstreamCall, UpstreamFailure } from '../types/provider.ts';
import { bearerSecret, secret } from '../types/secret.ts';
import { type BaseAddress, baseAddress } from './connection/base-address.ts';
import { claudePrefill } from './claude/prefill.ts';
import { finishReasonsOption, readingOf } from './compatible/reading.ts';

const options = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as eu-central-1')
    .default('us-east-1'),
  api_key: bearerSecret().optional().describe('A Bedrock API key, sent as a bearer token; instead of the keys of a user.'),
  access_key_id: z.string().min(1).max(200).optional(),
  secret_access_key: secret().optional(),
  session_token: secret().optional().describe('Of temporary keys only.'),
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .optional()
    .describe("Instead of AWS's address for the region."),
  embeddings_batch: z.int().min(1).max(96).default(1).describe('Texts in one request: Titan and Nova take 1, Cohere up to 96.'),
  finish_reasons: finishReasonsOption(),
});

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function incomplete(field: string, what: string): GatewayError {
  const param = `spec.options.${field}`;
  return new GatewayError('configuration_invalid', `${param}: ${what}`, { param });
}

/** Undefined when an API key is given. */
function readKeys({ api_key, access_key_id, secret_access_key, session_token }: z.infer<typeof options>): Keys | undefined {
  if (api_key !== undefined) {
    if (access_key_id === undefined && secret_access_key === undefined && session_token === undefined) return undefined;
    throw incomplete('api_key', 'give either this or access_key_id with secret_access_key, and not both.');
  }
  if (access_key_id === undefined) throw incomplete('access_key_id', 'give this with secret_access_key, or an api_key.');
  if (secret_access_key === undefined) throw incomplete('secret_access_key', 'is missing beside access_key_id.');
  const keys = { accessKeyId: access_key_id, secretAccessKey: secret_access_key };
  return session_token === undefined ? keys : { ...keys, sessionToken: session_token };
}

function addressFor(base: BaseAddress): (call: UpstreamCall) => string {
  return ({ operation, model, stream }) => {
    // Bedrock refuses encoded resource names (ARNs), and all other ids unless they are encoded.
    const id = model.startsWith('arn:') ? encodeURI(model) : encodeURIComponent(model);
    return base.at(`/model/${id}/${operation === 'embeddings' ? 'invoke' : stream ? 'converse-stream' : 'converse'}`);
  };
}

/** Adds the signature (AWS Signature Version 4) and its headers. */
async function sign(headers: Record<string, string>, { method, url, body }: Outgoing, keys: Keys, region: string): Promise<void> {
  const signer = new AwsV4Signer({ ...keys, method, url, region, service: 'bedrock', body: body ?? '' });
  const signed = await signer.sign();
  for (const [name, value] of signed.headers) headers[name] = value;
}

const administrators = 'The vendor cannot serve this model as it is set up. Tell your administrator.';

/** The code for a Bedrock error that says more than its status, by its type and message. */
function failureFor(type: string, message: string): { readonly code: ErrorCode; readonly message: string } | undefined {
  switch (type) {
    case 'ServiceQuotaExceededException':
      return { code: 'rate_limited', message: 'The vendor takes no more requests at this moment. Wait and try again.' };
    case 'ModelNotReadyException':
      return { code: 'upstream_unavailable', message: 'The vendor is still loading the model. Try again.' };
    case 'ModelErrorException':
      return { code: 'upstream_error', message: 'The vendor failed. Try again.' };
    case 'ModelTimeoutException':
      return { code: 'upstream_timeout', message: 'The vendor did not answer in time. Try again.' };
    case 'ValidationException':
      return /model identifier is invalid|on-demand throughput|inference profile/i.test(message)
        ? { code: 'upstream_model_not_found', message: administrators }
        : undefined;
    default:
      return undefined;
  }
}

function messageIn(body: string): string {
  return /"[Mm]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? '';
}

function classify({ status, headers, body }: UpstreamFailure): GatewayError | undefined {
  const header = headers['x-amzn-errortype'];
  const type = (typeof header === 'string' ? header : (header?.[0] ?? '')).split(':', 1)[0] ?? '';
  const message = messageIn(body);
  const failure = failureFor(type, message);
  if (failure === undefined) return undefined;
  return new GatewayError(failure.code, failure.message, { details: { status, type, text: message.slice(0, 500) } });
}

export default definePlugin({
  type: 'provider',
  kind: 'bedrock',
  title: 'Amazon Bedrock',
  options,
  create(given, services): Provider {
    const { region, api_key, base_url, embeddings_batch } = given;
    const keys = readKeys(given);
    const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    const base = baseAddress(services.checkUrl(base_url ?? `https://bedrock-runtime.${region}.${domain}`, 'spec.options.base_url'));
    return {
      structuredOutput: { usual: 'none', source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html' },
      formats: { chat: 'bedrock', embeddings: 'bedrock' },
      address: addressFor(base),
      authorize(headers, _call, outgoing) {
        if (keys !== undefined) return sign(headers, outgoing, keys, region);
        headers['authorization'] = `Bearer ${api_key}`;
        return undefined;
      },
      prefill: (model) => claudePrefill(model),
      embeddingsBatch: embeddings_batch,
      classify,
      ...readingOf({}, given),
    };
  },
});
