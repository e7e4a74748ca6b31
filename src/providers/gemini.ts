/** Google's Gemini with a Google AI Studio key. */
import { z } from 'zod';
import { baseAddress } from './connection/base-address.ts';
import { googlePath } from './google/addresses.ts';
import { readGoogleFailure } from './google/failures.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';
import { definePlugin } from '../types/plugin.ts';
import type { Provider, UpstreamCall } from '../types/provider.ts';
import { bearerSecret } from '../types/secret.ts';
import { finishReasonsOption, readingOf } from './compatible/reading.ts';

const options = z.strictObject({
  api_key: bearerSecret().describe('A key of aistudio.google.com.'),
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .default('https://generativelanguage.googleapis.com/v1beta')
    .describe('Up to and with the version.'),
  finish_reasons: finishReasonsOption(),
});

/** Unlike Vertex, this API refuses every request with a penalty for models of this generation. */
function adjust(body: JsonObject, call: UpstreamCall): JsonObject {
  const { model, operation } = call;
  const config = body['generationConfig'];
  if (operation !== 'chat' || !model.includes('gemini-2.5') || !isJsonObject(config)) return body;
  const { presencePenalty, frequencyPenalty, ...rest } = config;
  if (presencePenalty !== undefined) call.warn(`presence_penalty left out: ${model} has none`);
  if (frequencyPenalty !== undefined) call.warn(`frequency_penalty left out: ${model} has none`);
  return { ...body, generationConfig: rest };
}

export default definePlugin({
  type: 'provider',
  kind: 'gemini',
  title: 'Google Gemini (AI Studio)',
  options,
  create({ api_key, base_url, ...answers }, services): Provider {
    const base = baseAddress(services.checkUrl(base_url, 'spec.options.base_url'));
    return {
      structuredOutput: { usual: 'json_schema', source: 'https://www.developersdigest.tech/blog/structured-outputs-across-ai-apis-2026' },
      // https://ai.google.dev/api/generate-content#generationconfig
      limits: { stops: 5 },
      formats: { chat: 'gemini', embeddings: 'gemini' },
      address: (call) => base.at(googlePath(call, 'models', 'batchEmbedContents')),
      modelsAddress: (most) => base.at(`/models?pageSize=${most}`),
      authorize(headers) {
        headers['x-goog-api-key'] = api_key;
      },
      adjust,
      embeddingsBatch: 100,
      classify: readGoogleFailure,
      ...readingOf({}, answers),
    };
  },
});
