/** The names of OpenTelemetry's semantic conventions that Pailou uses. The conventions for generative AI may still change; only this file knows them. */

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and the registry of common attributes. */
export const attribute = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  tool: 'gen_ai.tool.name',
  agent: 'gen_ai.agent.name',
  error: 'error.type',
  user: 'user.id',
  status: 'http.response.status_code',
  run: 'pailou.run.id',
  request: 'pailou.request.id',
  tenant: 'pailou.tenant',
  key: 'pailou.key.id',
  client: 'pailou.client.id',
  deployment: 'pailou.deployment',
  attempt: 'pailou.attempt',
  streamed: 'pailou.streamed',
  outcome: 'pailou.outcome',
  estimated: 'pailou.usage.estimated',
  cost: 'pailou.cost.amount',
  currency: 'pailou.cost.currency',
  firstTokenMs: 'pailou.first_token_ms',
} as const;

/** `gen_ai.operation.name` by the operation of a run. Others keep their own word, as the conventions allow. */
export const operationNames: Readonly<Record<string, string>> = {
  chat: 'chat',
  embeddings: 'embeddings',
  images: 'generate_content',
  tool: 'execute_tool',
  'tool-loop': 'invoke_agent',
  skill: 'invoke_agent',
};
