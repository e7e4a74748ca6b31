/** The options that every provider row has: its address and additional headers and fields. */
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';
import { headerSecret } from '../../types/secret.ts';
import { type BaseAddress, baseAddress } from '../connection/base-address.ts';

/** Headers of HTTP itself or of the credential. A configured value would break the call or leak. */
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

export const httpAddress = () =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address such as https://api.example.com/v1' })
    .max(2_000)
    .describe('Up to and with the version, such as /v1. A query in it goes with every call.');

export const extraHeaders = () =>
  z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'letters, digits and -'), headerSecret())
    .default({})
    .describe('More headers for each call.');

/** Throws `configuration_invalid` for a header that only Pailou sets. */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    if (!reserved.has(name.toLowerCase())) continue;
    const param = `spec.options.headers.${name}`;
    throw new GatewayError('configuration_invalid', `${param}: this header is set by Pailou itself; leave it out.`, { param });
  }
}

/** The base URL without an operation's path at its end. */
export function openaiBase(url: URL): BaseAddress {
  return baseAddress(url, /\/(chat\/completions|embeddings)$/);
}
