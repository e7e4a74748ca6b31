/** Ollama in its native format: local models, or its cloud. */
import { z } from 'zod';
import { GatewayError } from '../types/errors.ts';
import { definePlugin, type UpstreamFailure } from '../types/plugin.ts';
import type { Provider } from '../types/provider.ts';
import { bearerSecret } from '../types/secret.ts';
import { baseAddress } from './connection/base-address.ts';
import { finishReasonsOption, readingOf } from './compatible/reading.ts';

const options = z.strictObject({
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .default('http://127.0.0.1:11434')
    .describe('Without /api.'),
  api_key: bearerSecret().optional().describe("Sent as a bearer token: for Ollama's cloud, or a proxy that guards the server."),
  finish_reasons: finishReasonsOption(),
});

/** Abilities that a model may lack, with the caller's field that requires each. */
const abilities: Readonly<Record<string, string>> = {
  tools: 'tools',
  thinking: 'reasoning_effort',
  images: 'messages',
  vision: 'messages',
};

/** Only the message says that the model lacks an ability. */
function classify({ status, body }: UpstreamFailure): GatewayError | undefined {
  const ability = status === 400 ? /does not support (tools|thinking|images|vision)/i.exec(body)?.[1]?.toLowerCase() : undefined;
  const param = ability === undefined ? undefined : abilities[ability];
  if (ability === undefined || param === undefined) return undefined;
  return new GatewayError('unsupported_parameter', `${param}: this Ollama model has no ${ability}. Leave it out or use another model.`, {
    param,
    details: { status, text: body.slice(0, 500) },
  });
}

export default definePlugin({
  type: 'provider',
  kind: 'ollama',
  title: 'Ollama, native format',
  options,
  create({ base_url, api_key, ...answers }, services): Provider {
    const base = baseAddress(services.checkUrl(base_url, 'spec.options.base_url'), /\/(api|v1)$/);
    return {
      structuredOutput: { usual: 'json_schema', source: 'https://ollama.com/blog/structured-outputs' },
      formats: { chat: 'ollama', embeddings: 'ollama' },
      address: ({ operation }) => base.at(operation === 'embeddings' ? '/api/embed' : '/api/chat'),
      modelsAddress: () => base.at('/api/tags'),
      authorize(headers) {
        if (api_key !== undefined) headers['authorization'] = `Bearer ${api_key}`;
      },
      // gpt-oss and similar models continue their reasoning after a tool call.
      replaysReasoning: true,
      // A last assistant message is continued. https://github.com/ollama/ollama/issues/6778
      prefill: () => ({}),
      classify,
      ...readingOf({}, answers),
    };
  },
});
