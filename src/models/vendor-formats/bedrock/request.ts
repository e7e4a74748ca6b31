/** Converts an OpenAI chat request to Bedrock's Converse. The address contains the model and the streaming mode. */
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { claudeSampling } from '../../conversation/claude-thinking.ts';
import { type ClaudeTraits, claudeTraits } from '../../conversation/claude.ts';
import { closedSchema } from '../../conversation/closed-schema.ts';
import { maxTokensOf, remainingFields, responseFormOf, stopsOf, unsupported } from '../../conversation/request-fields.ts';
import { toolChoiceOf } from '../../conversation/tool-use.ts';
import { calledTools, writeConversation } from './messages.ts';
import { writeReasoning } from './reasoning.ts';
import { writeTools } from './tools.ts';

const taken: ReadonlySet<string> = new Set([
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'response_format',
  'reasoning_effort',
  'thinking',
  'parallel_tool_calls',
  'logit_bias',
  'inferenceConfig',
  'outputConfig',
  'additionalModelRequestFields',
  // Claude's field, rebuilt together with its effort.
  'output_config',
]);

/** Fields of Converse itself; all others belong to the model. */
const ofConverse: ReadonlySet<string> = new Set([
  'guardrailConfig',
  'performanceConfig',
  'serviceTier',
  'requestMetadata',
  'additionalModelResponseFieldPaths',
  'promptVariables',
]);

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function writeForm(body: ChatBody, target: EncodeTarget, traits: ClaudeTraits): JsonObject {
  const form = responseFormOf(body, target);
  if (form === undefined) return {};
  if (form.kind === 'json') throw unsupported(target, 'response_format', 'has no JSON without a schema', 'Send a json_schema instead.');
  if (traits.isClaude && !traits.schemas) throw unsupported(target, 'response_format', `cannot hold ${target.model} to a schema`);
  const warn = (keyword: string): void =>
    target.warn(`${keyword} in response_format sent in the prompt only: ${target.vendor} does not enforce it`);
  const schema = traits.isClaude ? closedSchema(form.schema, warn) : form.schema;
  return { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: JSON.stringify(schema), name: form.name } } } };
}

/** `value` under `key`, unless it is empty. */
function unlessEmpty(key: string, value: JsonObject): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [key]: value };
}

function writeRequest(body: ChatBody, target: EncodeTarget): JsonObject {
  const traits = claudeTraits(target.model);
  const rest = Object.entries(remainingFields(body, target, taken));
  const bias = body['logit_bias'];
  if (isJsonObject(bias) && Object.keys(bias).length > 0) target.warn(`logit_bias left out: ${target.vendor} has none`);
  const choice = body.tools === undefined || body.tools.length === 0 ? undefined : toolChoiceOf(body, target);
  const given = maxTokensOf(body);
  const reasoning = writeReasoning(body, target, { traits, choice, maxTokens: given ?? traits.maxTokens });
  // A budget must be below the token limit, which must then be set.
  const budgeted = isJsonObject(reasoning.fields['thinking']) && reasoning.fields['thinking']['type'] === 'enabled';
  const maxTokens = given ?? (traits.isClaude && budgeted ? traits.maxTokens : undefined);
  const { toolConfig, choiceOfClaude, asText } = writeTools(body, target, { traits, choice, called: calledTools(body.messages) });
  const { system, messages } = writeConversation(body.messages, target, { thoughts: reasoning.formats, toolsAsText: asText });
  const { temperature, top_p: topP, top_k: topK } = claudeSampling(body, target, traits, reasoning.active);
  const stops = stopsOf(body);
  const inference = {
    ...object(body['inferenceConfig']),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stops === undefined ? {} : { stopSequences: stops }),
  };
  const output = { ...object(body['output_config']), ...object(reasoning.fields['output_config']) };
  const additional = {
    ...Object.fromEntries(rest.filter(([field]) => !ofConverse.has(field))),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...reasoning.fields,
    ...unlessEmpty('output_config', output),
    ...(choiceOfClaude === undefined ? {} : { tool_choice: choiceOfClaude }),
    ...object(body['additionalModelRequestFields']),
  };
  return {
    ...Object.fromEntries(rest.filter(([field]) => ofConverse.has(field))),
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...unlessEmpty('inferenceConfig', inference),
    ...(toolConfig === undefined ? {} : { toolConfig }),
    ...unlessEmpty('outputConfig', { ...object(body['outputConfig']), ...writeForm(body, target, traits) }),
    ...unlessEmpty('additionalModelRequestFields', additional),
  };
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): string {
  const body = writeRequest(request.body, target);
  return JSON.stringify(target.adjust === undefined ? body : target.adjust(body));
}
