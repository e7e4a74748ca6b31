/** Creates the plugin of an OpenAI-compatible vendor from its dialect. */
import { z } from 'zod';
import { definePlugin, type Plugin } from '../../types/plugin.ts';
import type { JsonObject } from '../../types/json.ts';
import type { Provider, UpstreamCall } from '../../types/provider.ts';
import { bearerSecret } from '../../types/secret.ts';
import type { BaseAddress } from '../connection/base-address.ts';
import { openaiAddresses } from './addresses.ts';
import type { Dialect } from './dialect.ts';
import { adjustFields } from './fields.ts';
import { openaiBase, checkHeaders, extraHeaders, httpAddress } from './connection.ts';
import { adjustMessages } from './messages.ts';
import { finishReasonsOption, readingOf } from './reading.ts';
import { switchThinking } from './thinking.ts';

/** A predicate for names with `*` for any characters. */
function matcher(patterns: readonly string[]): (model: string) => boolean {
  const tests = patterns.map((pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i'));
  return (model) => tests.some((test) => test.test(model));
}

/** True when every request must be rewritten. Otherwise its bytes are forwarded unchanged, apart from those with `reasoning_effort`. */
function needsAdjusting(dialect: Dialect): boolean {
  return (
    dialect.maxTokens !== undefined ||
    dialect.drops !== undefined ||
    dialect.refuses !== undefined ||
    dialect.clamps !== undefined ||
    dialect.toolChoices !== undefined ||
    dialect.sets !== undefined ||
    dialect.detailsFormat !== undefined ||
    dialect.developerAsSystem === true ||
    dialect.joinsText !== undefined
  );
}

function adjustBody(body: JsonObject, dialect: Dialect, call: UpstreamCall): JsonObject {
  const fields = adjustFields(body, dialect, call);
  const messages = adjustMessages(fields['messages'], dialect);
  const whole = { ...dialect.sets, ...fields, ...(messages === fields['messages'] ? {} : { messages }) };
  return dialect.thinking === undefined ? whole : switchThinking(whole, dialect.thinking, call, dialect.kind);
}

function adjusterOf(dialect: Dialect): Provider['adjust'] {
  if (!needsAdjusting(dialect) && dialect.thinking === undefined) return undefined;
  const variants = (dialect.variants ?? []).map(({ models, ...variant }) => ({
    matches: matcher(models),
    dialect: { ...dialect, ...variant },
  }));
  return (body, call) => {
    // A dialect describes chat completions; Responses is sent as OpenAI has it.
    if (call.operation !== 'chat' || call.format === 'openai-responses') return body;
    return adjustBody(body, variants.find(({ matches }) => matches(call.model))?.dialect ?? dialect, call);
  };
}

const key = {
  required: bearerSecret().describe('Sent as a bearer token.'),
  optional: bearerSecret().optional().describe('Sent as a bearer token, if the server asks for one.'),
};

/** The option of vendors that have OpenAI's Responses too. */
export function responsesModels({ models }: Pick<NonNullable<Dialect['responses']>, 'models'>) {
  return z
    .array(z.string().min(1).max(256))
    .max(100)
    .default([...models])
    .describe("Models that are called by OpenAI's Responses API, * for any characters. A deployment's api and the catalogue come first.");
}

/** The answer options of every OpenAI-compatible vendor. */
export function answerOptions(dialect: Dialect) {
  return {
    stream_only: z
      .array(z.string().min(1).max(256))
      .max(100)
      .default([...(dialect.streamOnly ?? [])])
      .describe('Models that only answer as a stream, * for any characters; Pailou buffers their answers for callers that do not stream.'),
    finish_reasons: finishReasonsOption(),
    think_tags: z
      .union([z.boolean(), z.literal('unopened')])
      .default(dialect.thinkTags ?? false)
      .describe(
        'The reasoning is in the text, between <think> and </think> at its start, and Pailou separates it. "unopened": without <think>, because the template of the model ends the prompt with it (DeepSeek R1, QwQ). A deployment may override this.',
      ),
  };
}

interface AnswerOptions {
  readonly responses_models?: readonly string[];
  readonly stream_only?: readonly string[];
  readonly finish_reasons?: Dialect['finishReasons'];
  readonly think_tags?: Dialect['thinkTags'];
}

type ResponsesSide = Pick<Provider, 'otherChatFormats' | 'chatFormat' | 'responsesFeatures'>;

function responsesFormat({ responses }: Dialect, options: AnswerOptions): ResponsesSide {
  if (responses === undefined) return {};
  const matches = matcher(options.responses_models ?? responses.models);
  return {
    otherChatFormats: ['openai-responses'],
    chatFormat: (model) => (matches(model) ? 'openai-responses' : undefined),
    ...(responses.features === undefined ? {} : { responsesFeatures: new Set(responses.features) }),
  };
}

/** The provider of an OpenAI-compatible vendor with the given dialect. */
export function openaiProvider(dialect: Dialect, base: BaseAddress, authorize: Provider['authorize'], options: AnswerOptions): Provider {
  const adjust = adjusterOf(dialect);
  const streamOnly = options.stream_only ?? dialect.streamOnly ?? [];
  const replays = dialect.replays ?? [];
  return {
    ...(dialect.structuredOutput === undefined ? {} : { structuredOutput: dialect.structuredOutput }),
    formats: Object.fromEntries(dialect.operations.map((operation) => [operation, 'openai'])),
    ...responsesFormat(dialect, options),
    address: openaiAddresses(base),
    modelsAddress: () => base.at('/models'),
    authorize,
    ...(adjust === undefined ? {} : { adjust }),
    ...(needsAdjusting(dialect) ? {} : { adjusts: (body) => body['reasoning_effort'] !== undefined }),
    ...readingOf(dialect, options),
    ...(replays.length === 0 ? {} : { replaysReasoning: true, replays }),
    ...(dialect.limits === undefined ? {} : { limits: dialect.limits }),
    thoughtFields: dialect.thoughtFields ?? ['reasoning_content'],
    ...(dialect.customTools === undefined ? {} : { customTools: dialect.customTools }),
    ...(dialect.cacheControl === undefined ? {} : { cacheControl: dialect.cacheControl }),
    ...(dialect.embeddingsBatch === undefined ? {} : { embeddingsBatch: dialect.embeddingsBatch }),
    ...(dialect.prefill === undefined ? {} : { prefill: () => dialect.prefill }),
    ...(streamOnly.length === 0 ? {} : { mustStream: matcher(streamOnly) }),
  };
}

/** A vendor's plugin: one file with its dialect. */
export function openaiVendor(dialect: Dialect): Plugin<'provider'> & { readonly dialect: Dialect } {
  const options = z.strictObject({
    base_url: dialect.baseUrl === null ? httpAddress() : httpAddress().default(dialect.baseUrl),
    api_key: dialect.keyless === true ? key.optional : key.required,
    headers: extraHeaders(),
    ...(dialect.responses === undefined ? {} : { responses_models: responsesModels(dialect.responses) }),
    ...answerOptions(dialect),
  });
  const plugin = definePlugin({
    type: 'provider',
    kind: dialect.kind,
    title: dialect.title,
    options,
    create({ base_url, api_key, headers, ...answers }, services) {
      const base = openaiBase(services.checkUrl(base_url, 'spec.options.base_url'));
      checkHeaders(headers);
      const more = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
      return openaiProvider(
        dialect,
        base,
        (sent) => {
          if (api_key !== undefined) sent['authorization'] = `Bearer ${api_key}`;
          for (const [name, value] of more) sent[name] = value;
        },
        answers as AnswerOptions,
      );
    },
  });
  return { ...(plugin as unknown as Plugin<'provider'>), dialect };
}
