/** Any vendor or local server that speaks OpenAI's format. */
import { z } from 'zod';
import { openaiAddresses, openaiFormats } from './compatible/addresses.ts';
import { GatewayError } from '../types/errors.ts';
import { definePlugin } from '../types/plugin.ts';
import { secret } from '../types/secret.ts';

/** Headers that belong to HTTP itself or to the credential; an own value would break the call or leak. */
const reserved = new Set([
  'authorization',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'content-type',
  'accept-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
]);

const options = z.strictObject({
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address such as https://api.example.com/v1' })
    .max(2_000)
    .describe('Up to and with /v1.'),
  api_key: secret().optional().describe('Sent as a bearer token; leave it out for a local server.'),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'letters, digits and -'), secret())
    .default({})
    .describe('More headers for each call.'),
});

/** The base without a slash or the path of an operation at its end. */
function cleanBase(url: URL): string {
  return url.href
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '')
    .replace(/\/(chat\/completions|embeddings)$/, '');
}

export default definePlugin({
  type: 'provider',
  kind: 'openai-compatible',
  title: "A service that speaks OpenAI's format",
  options,
  create({ base_url, api_key, headers }, services) {
    const base = cleanBase(services.checkUrl(base_url, 'spec.options.base_url'));
    for (const name of Object.keys(headers)) {
      if (reserved.has(name.toLowerCase())) {
        throw new GatewayError(
          'configuration_invalid',
          `spec.options.headers.${name}: this header is set by Pailou itself; leave it out.`,
          { param: `spec.options.headers.${name}` },
        );
      }
    }
    return {
      formats: openaiFormats,
      address: openaiAddresses(base),
      authorize(sent) {
        if (api_key !== undefined) sent['authorization'] = `Bearer ${api_key}`;
        for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
      },
    };
  },
});
