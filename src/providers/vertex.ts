/** Gemini models at Google Cloud's Vertex AI, with a service account or an access token. */
import { z } from 'zod';
import { createAccessTokens, readServiceAccount } from './google/access-tokens.ts';
import { baseAddress } from './connection/base-address.ts';
import { googlePath } from './google/addresses.ts';
import { readGoogleFailure } from './google/failures.ts';
import { GatewayError } from '../types/errors.ts';
import { definePlugin } from '../types/plugin.ts';
import type { Provider } from '../types/provider.ts';
import { headerSecret, secret } from '../types/secret.ts';
import { finishReasonsOption, readingOf } from './compatible/reading.ts';

const options = z.strictObject({
  project: z.string().regex(/^[a-z0-9.:-]{1,100}$/, 'must be the id of a Google Cloud project'),
  location: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'must be a location such as europe-west4 or global')
    .default('global'),
  service_account: secret()
    .optional()
    .describe('The JSON file of a service account with the role Vertex AI User.')
    // It says where its tokens are made.
    .meta({ address: true }),
  access_token: headerSecret().optional().describe('A token of your own, instead of a service account; it ends after an hour.'),
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .optional()
    .describe("Instead of Google's address for the location, up to and with the version."),
  embeddings_batch: z
    .int()
    .min(1)
    .max(250)
    .default(1)
    .describe('Texts in one request: gemini-embedding-001 takes 1, text-embedding-005 up to 250.'),
  finish_reasons: finishReasonsOption(),
});

function hostOf(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com';
  // Hosts of multi-regions have another form.
  if (location === 'us' || location === 'eu') return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}

export default definePlugin({
  type: 'provider',
  kind: 'vertex',
  title: 'Google Vertex AI (Gemini)',
  options,
  async create({ project, location, service_account, access_token, base_url, embeddings_batch, ...answers }, services): Promise<Provider> {
    if ((service_account === undefined) === (access_token === undefined)) {
      throw new GatewayError('configuration_invalid', 'spec.options.service_account: give either this or access_token, and not both.', {
        param: 'spec.options.service_account',
      });
    }
    const base = baseAddress(services.checkUrl(base_url ?? `https://${hostOf(location)}/v1`, 'spec.options.base_url'));
    const place = `projects/${project}/locations/${location}`;
    let tokens: { get(): Promise<string>; forget(): void };
    if (service_account === undefined) tokens = { get: () => Promise.resolve(access_token ?? ''), forget: () => undefined };
    else {
      const account = readServiceAccount(service_account);
      services.checkUrl(account.tokenAddress, 'spec.options.service_account');
      tokens = await createAccessTokens(account, services);
    }
    return {
      structuredOutput: {
        usual: 'json_schema',
        source: 'https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/control-generated-output',
      },
      // https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
      limits: { tools: 512, stops: 5 },
      formats: { chat: 'gemini', embeddings: 'vertex' },
      address: (call) => base.at(`/${place}${googlePath(call, 'publishers/google/models', 'predict')}`),
      async authorize(headers) {
        headers['authorization'] = `Bearer ${await tokens.get()}`;
      },
      embeddingsBatch: embeddings_batch,
      classify(failure) {
        if (failure.status === 401) tokens.forget();
        return readGoogleFailure(failure);
      },
      ...readingOf({}, answers),
    };
  },
});
