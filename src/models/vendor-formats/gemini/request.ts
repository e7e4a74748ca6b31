/** Converts an OpenAI chat request to Gemini's format. */
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { effortOf, maxTokensOf, remainingFields, responseFormOf, stopsOf } from '../../conversation/request-fields.ts';
import { functionTools, toolChoiceOf } from '../../conversation/tool-use.ts';
import { writeContents } from './contents.ts';
import { unpackExtraBody } from './extra-body.ts';
import { thinkingConfig } from './generations.ts';
import { mediaConfig } from './media.ts';
import { cleanSchema } from './schema.ts';

const taken: ReadonlySet<string> = new Set([
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'n',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'logprobs',
  'top_logprobs',
  'response_format',
  'reasoning_effort',
  'web_search_options',
  'modalities',
  'audio',
  'generationConfig',
  'toolConfig',
]);

function given(members: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, Json] => entry[1] !== undefined && entry[1] !== null),
  );
}

function generationConfig(body: ChatBody, target: EncodeTarget): Record<string, Json> {
  const form = responseFormOf(body, target);
  const wantsLogprobs = body['logprobs'] === true;
  const config = given({
    temperature: body['temperature'],
    topP: body['top_p'],
    topK: body['top_k'],
    candidateCount: body['n'],
    maxOutputTokens: maxTokensOf(body),
    stopSequences: stopsOf(body),
    seed: body['seed'],
    presencePenalty: body['presence_penalty'],
    frequencyPenalty: body['frequency_penalty'],
    responseLogprobs: wantsLogprobs ? true : undefined,
    logprobs: wantsLogprobs && body['top_logprobs'] !== 0 ? body['top_logprobs'] : undefined,
    responseMimeType: form === undefined ? undefined : 'application/json',
    responseJsonSchema: form?.kind === 'schema' ? cleanSchema(form.schema) : undefined,
    ...mediaConfig(body, target),
  });
  const callerConfig = isJsonObject(body['generationConfig']) ? body['generationConfig'] : {};
  const thinking = thinkingConfig(effortOf(body), target);
  const callerThinking = isJsonObject(callerConfig['thinkingConfig']) ? callerConfig['thinkingConfig'] : undefined;
  if (thinking === undefined || callerThinking !== undefined) return { ...config, ...given(callerConfig) };
  return { ...config, thinkingConfig: thinking, ...given(callerConfig) };
}

/** True for Gemini's own tools, such as `{"googleSearch": {}}`, which have no type and are sent unchanged. */
function isGeminiTool(tool: JsonObject): boolean {
  return tool['type'] === undefined && tool['function'] === undefined;
}

function declarations(body: ChatBody, target: EncodeTarget, allowed: readonly string[] | undefined): JsonObject[] {
  return functionTools(body, target)
    .filter((tool) => allowed === undefined || allowed.includes(tool.name))
    .map(({ name, description, parameters }) => {
      const properties = parameters?.['properties'];
      const empty = parameters === undefined || (isJsonObject(properties) && Object.keys(properties).length === 0);
      return given({ name, description, parametersJsonSchema: empty ? undefined : cleanSchema(parameters) });
    });
}

function toolMembers(body: ChatBody, target: EncodeTarget): Record<string, Json> {
  const offered = body.tools ?? [];
  const callerConfig = offered.filter(isGeminiTool);
  const functions: ChatBody = { ...body, tools: offered.filter((tool) => !isGeminiTool(tool)) };
  const choice = toolChoiceOf(body, target);
  // In mode AUTO, Gemini cannot be restricted to some functions, so only the allowed ones are declared.
  const declared = declarations(functions, target, choice?.mode === 'allowed' ? choice.names : undefined);
  const searches = isJsonObject(body['web_search_options']) ? [{ googleSearch: {} }] : [];
  const tools = [...(declared.length === 0 ? [] : [{ functionDeclarations: declared }]), ...callerConfig, ...searches];
  const modes = { auto: 'AUTO', allowed: 'AUTO', none: 'NONE', required: 'ANY', named: 'ANY' } as const;
  const calling =
    choice === undefined || declared.length === 0
      ? undefined
      : { mode: modes[choice.mode], ...(choice.mode === 'named' ? { allowedFunctionNames: choice.names } : {}) };
  const callerToolConfig = isJsonObject(body['toolConfig']) ? body['toolConfig'] : {};
  const callerCalling = isJsonObject(callerToolConfig['functionCallingConfig']) ? callerToolConfig['functionCallingConfig'] : undefined;
  const config = {
    ...callerToolConfig,
    ...(calling === undefined && callerCalling === undefined ? {} : { functionCallingConfig: { ...calling, ...callerCalling } }),
  };
  return {
    ...(tools.length === 0 ? {} : { tools }),
    ...(Object.keys(config).length === 0 ? {} : { toolConfig: config }),
  };
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): string {
  const body = unpackExtraBody(request.body);
  const { contents, system } = writeContents(body.messages, target);
  const config = generationConfig(body, target);
  const encoded: JsonObject = {
    contents,
    ...(system === undefined ? {} : { systemInstruction: system }),
    ...toolMembers(body, target),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
    ...remainingFields(body, target, taken),
  };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}
