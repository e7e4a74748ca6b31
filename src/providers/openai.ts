/** OpenAI itself. */
import { z } from 'zod';
import { definePlugin } from '../types/plugin.ts';
import { openaiLimits } from '../types/request-limits.ts';
import { bearerSecret } from '../types/secret.ts';
import { openaiBase, httpAddress } from './compatible/connection.ts';
import type { Dialect } from './compatible/dialect.ts';
import { answerOptions, openaiProvider, responsesModels } from './compatible/vendor.ts';

/** Reasoning models refuse the old name of the token limit, and some fields. https://platform.openai.com/docs/guides/reasoning */
const thinks = /^(o\d|gpt-5|gpt-6|codex)/;

const responses = {
  models: ['gpt-5.4*', 'gpt-5.5*', 'gpt-5.6*', 'gpt-6*', '*codex*', '*-pro', '*-pro-20*', '*deep-research*', 'computer-use*'],
  source: 'https://platform.openai.com/docs/guides/migrate-to-responses',
};

const dialect: Dialect = {
  kind: 'openai',
  title: 'OpenAI',
  baseUrl: 'https://api.openai.com/v1',
  source: 'https://platform.openai.com/docs/api-reference/chat',
  structuredOutput: {
    usual: 'json_schema',
    models: { 'gpt-3.5-turbo*': 'json_object', 'gpt-4-turbo*': 'json_object', 'gpt-4o-2024-05-13': 'json_object' },
    source: 'https://platform.openai.com/docs/api-reference/chat/create',
  },
  operations: ['chat', 'embeddings', 'images', 'transcriptions', 'speech'],
  responses,
  customTools: true,
  maxTokens: 'max_completion_tokens',
  // Anthropic's clients may send it.
  drops: ['top_k'],
  limits: openaiLimits,
  thoughtFields: [],
  variants: [
    { models: ['gpt-5-chat*'] },
    {
      models: ['o1*', 'o3*', 'o4*', 'gpt-5', 'gpt-5-*'],
      // https://platform.openai.com/docs/guides/latest-model#gpt-5-parameter-compatibility
      drops: ['top_k', 'temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'stop'],
    },
  ],
  thinking: { by: 'effort' },
  embeddingsBatch: 2048,
};

const options = z.strictObject({
  api_key: bearerSecret().describe('A key of platform.openai.com.'),
  base_url: httpAddress().default('https://api.openai.com/v1'),
  organization: z.string().max(200).optional(),
  project: z.string().max(200).optional(),
  responses_models: responsesModels(responses),
  ...answerOptions(dialect),
});

const plugin = definePlugin({
  type: 'provider',
  kind: dialect.kind,
  title: dialect.title,
  options,
  create({ api_key, base_url, organization, project, ...answers }, services) {
    const base = openaiBase(services.checkUrl(base_url, 'spec.options.base_url'));
    const authorize = (headers: Record<string, string>): void => {
      headers['authorization'] = `Bearer ${api_key}`;
      if (organization !== undefined) headers['openai-organization'] = organization;
      if (project !== undefined) headers['openai-project'] = project;
    };
    const provider = openaiProvider(dialect, base, authorize, answers);
    return {
      ...provider,
      adjusts: (body, call) =>
        call.operation === 'chat' && (body['reasoning_effort'] !== undefined || body['top_k'] !== undefined || thinks.test(call.model)),
    };
  },
});
export default { ...plugin, dialect };
