/** OpenAI's models at Azure, by resource. Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';
import { definePlugin } from '../types/plugin.ts';
import type { Provider } from '../types/provider.ts';
import { openaiLimits } from '../types/request-limits.ts';
import { bearerSecret, secret } from '../types/secret.ts';
import type { Operation } from '../types/wire-format.ts';
import { baseAddress } from './connection/base-address.ts';
import { httpAddress } from './compatible/connection.ts';
import type { Dialect } from './compatible/dialect.ts';
import { createEntraToken } from './compatible/entra-token.ts';
import { answerOptions, openaiProvider, responsesModels } from './compatible/vendor.ts';

const responses = {
  models: ['*codex*', '*-pro', '*-pro-20*', 'computer-use*'],
  source: 'https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses',
};

const dialect: Dialect = {
  kind: 'azure',
  title: 'Azure OpenAI',
  baseUrl: null,
  source: 'https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference',
  structuredOutput: {
    usual: 'json_schema',
    models: { 'gpt-35-turbo*': 'json_object', 'gpt-4-turbo*': 'json_object', 'gpt-4o-2024-05-13': 'json_object' },
    source: null,
  },
  operations: ['chat', 'embeddings', 'images', 'transcriptions', 'speech'],
  responses,
  // Anthropic's clients may send it.
  drops: ['top_k'],
  limits: openaiLimits,
  thoughtFields: [],
  thinking: { by: 'effort' },
  customTools: true,
  embeddingsBatch: 2048,
  errorCodes: {
    deploymentnotfound: 'upstream_model_not_found',
    '429': 'rate_limited',
    '401': 'upstream_authentication',
    content_filter: 'content_filter',
  },
};

const paths: Readonly<Partial<Record<Operation, string>>> = {
  chat: 'chat/completions',
  embeddings: 'embeddings',
  images: 'images/generations',
  transcriptions: 'audio/transcriptions',
  speech: 'audio/speech',
};

const options = z.strictObject({
  base_url: httpAddress().describe('The resource, such as https://my-resource.openai.azure.com'),
  api_version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'a date such as 2024-10-21')
    .optional()
    .describe("Leave it out for the resource's /openai/v1; with it, models are named by deployment."),
  api_key: bearerSecret().optional().describe('A key of the resource; or use entra.'),
  entra: z
    .strictObject({ tenant_id: z.string().min(1).max(100), client_id: z.string().min(1).max(100), client_secret: secret() })
    .optional()
    .describe('A service principal of Microsoft Entra in the place of a key.'),
  responses_models: responsesModels(responses),
  ...answerOptions(dialect),
});

const plugin = definePlugin({
  type: 'provider',
  kind: dialect.kind,
  title: dialect.title,
  options,
  create({ base_url, api_version, api_key, entra, ...answers }, services) {
    if ((api_key === undefined) === (entra === undefined)) {
      throw new GatewayError('configuration_invalid', 'spec.options: give either api_key or entra.', { param: 'spec.options.api_key' });
    }
    // A path before Azure's own path belongs to a proxy in front of it.
    const resource = baseAddress(services.checkUrl(base_url, 'spec.options.base_url'), /\/openai(\/.*)?$/);
    const token = entra === undefined ? null : createEntraToken(entra, services.fetch);
    const authorize = async (headers: Record<string, string>): Promise<void> => {
      if (api_key !== undefined) headers['api-key'] = api_key;
      if (token !== null) headers['authorization'] = `Bearer ${await token()}`;
    };
    const provider: Provider = {
      ...openaiProvider(dialect, resource.below('/openai/v1'), authorize, answers),
      adjusts: (body) => body['reasoning_effort'] !== undefined || body['top_k'] !== undefined,
    };
    if (api_version === undefined) return provider;
    return {
      ...provider,
      modelsAddress: () => resource.at(`/openai/models?api-version=${api_version}`),
      address: ({ operation, model, format }) =>
        format === 'openai-responses'
          ? resource.at(`/openai/responses?api-version=${api_version}`)
          : resource.at(`/openai/deployments/${encodeURIComponent(model)}/${paths[operation] ?? operation}?api-version=${api_version}`),
    };
  },
});
export default { ...plugin, dialect };
