/** The answers of the calls under /v1, as JSON Schema for the description of the API. The calls render them themselves. */
import type { JsonObject } from '../../types/json.ts';

const text: JsonObject = { type: 'string' };
const integer: JsonObject = { type: 'integer' };
const textOrNull: JsonObject = { type: ['string', 'null'] };
const anything: JsonObject = {};

/** An object with these members; those whose name ends with `?` may be missing. Further members are possible. */
function object(members: Readonly<Record<string, JsonObject>>, description?: string): JsonObject {
  const entries = Object.entries(members).map(([name, schema]) => [name.replace(/\?$/, ''), schema] as const);
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties: Object.fromEntries(entries),
    required: Object.keys(members).filter((name) => !name.endsWith('?')),
  };
}
const list = (items: JsonObject): JsonObject => ({ type: 'array', items });
const word = (...values: string[]): JsonObject => (values.length === 1 ? { const: values[0] ?? '' } : { type: 'string', enum: values });

const finishReason: JsonObject = {
  type: ['string', 'null'],
  enum: ['stop', 'length', 'tool_calls', 'content_filter', 'function_call', null],
};
const toolCall = object({
  id: text,
  type: word('function', 'custom'),
  'function?': object({ name: text, arguments: text }),
  'custom?': anything,
});
const chatUsage = object({
  prompt_tokens: integer,
  completion_tokens: integer,
  total_tokens: integer,
  'prompt_tokens_details?': object({ 'cached_tokens?': integer }),
  'completion_tokens_details?': object({ 'reasoning_tokens?': integer }),
});
const message = object({
  role: word('assistant'),
  content: textOrNull,
  'refusal?': textOrNull,
  'reasoning_content?': textOrNull,
  'tool_calls?': list(toolCall),
  'annotations?': list(anything),
});

const chatCompletion = object({
  id: text,
  object: word('chat.completion'),
  created: integer,
  model: text,
  choices: list(object({ index: integer, message, finish_reason: finishReason, 'logprobs?': anything })),
  'usage?': chatUsage,
});
const chatChunk = object(
  {
    id: text,
    object: word('chat.completion.chunk'),
    created: integer,
    model: text,
    choices: list(object({ index: integer, delta: anything, finish_reason: finishReason })),
    'usage?': { anyOf: [chatUsage, { type: 'null' }] },
  },
  'One event of a stream; `data: [DONE]` ends it. A failure after the first event is an event with the member error.',
);
const response = object({
  id: text,
  object: word('response'),
  created_at: integer,
  status: word('completed', 'in_progress', 'incomplete', 'failed', 'cancelled', 'queued'),
  model: text,
  output: list(object({ type: text, 'id?': text })),
  error: anything,
  'usage?': anything,
});
const messagesAnswer = object({
  id: text,
  type: word('message'),
  role: word('assistant'),
  model: text,
  content: list(object({ type: text })),
  stop_reason: textOrNull,
  stop_sequence: textOrNull,
  usage: object({ input_tokens: integer, output_tokens: integer }),
});
const embeddings = object({
  object: word('list'),
  model: text,
  data: list(
    object({
      object: word('embedding'),
      index: integer,
      embedding: { anyOf: [list({ type: 'number' }), text], description: 'Numbers, or base64 of 32-bit floats.' },
    }),
  ),
  usage: object({ prompt_tokens: integer, total_tokens: integer }),
});
const rerank = object({
  id: text,
  results: list(object({ index: integer, relevance_score: { type: 'number' }, 'document?': anything })),
});
const model = object({ id: text, object: word('model'), created: integer, owned_by: text });
const skill = object({
  name: text,
  version: text,
  title: text,
  description: text,
  tags: list(text),
  input_schema: anything,
  output_schema: anything,
});
const skillRun = object({
  id: text,
  object: word('skill.run'),
  'skill?': text,
  'version?': text,
  status: word('running', 'completed', 'failed', 'cancelled'),
  'output?': anything,
  'usage?': anything,
});

export const callSchemas = {
  ChatCompletion: chatCompletion,
  ChatCompletionChunk: chatChunk,
  Response: response,
  ResponseEvent: object({ type: text }, "One event of a stream in OpenAI's Responses format; `response.completed` is the last one."),
  Message: messagesAnswer,
  MessageEvent: object({ type: text }, "One event of a stream in Anthropic's Messages format; `message_stop` is the last one."),
  TokenCount: object({ input_tokens: integer }),
  CompactedResponse: object({ id: text, object: word('response.compaction'), created_at: integer, output: list(anything) }),
  Embeddings: embeddings,
  Ranking: rerank,
  Pictures: object({ created: integer, data: list(object({ 'url?': text, 'b64_json?': text, 'revised_prompt?': text })) }),
  Transcription: object({ text }),
  Model: model,
  ModelList: object({ object: word('list'), data: list(model) }),
  Skill: skill,
  SkillList: object({ data: list(skill) }),
  SkillRun: skillRun,
} as const satisfies Record<string, JsonObject>;

type CallSchema = keyof typeof callSchemas;

const ref = (name: CallSchema): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const json = (name: CallSchema): JsonObject => ({ 'application/json': { schema: ref(name) } });
const streamed = (whole: CallSchema, event: CallSchema): JsonObject => ({ ...json(whole), 'text/event-stream': { schema: ref(event) } });
const bytes: JsonObject = { schema: { type: 'string', contentMediaType: 'application/octet-stream' } };

export interface CallAnswer {
  readonly status: string;
  readonly description: string;
  readonly content: JsonObject;
}

const answer = (description: string, content: JsonObject, status = '200'): CallAnswer => ({ status, description, content });

/** The successful answers that follow from no schema of their route, by method and path. */
export const callAnswers: Readonly<Record<string, readonly CallAnswer[]>> = {
  'post /v1/chat/completions': [answer('The answer, whole or streamed.', streamed('ChatCompletion', 'ChatCompletionChunk'))],
  'post /v1/responses': [answer('The answer, whole or streamed.', streamed('Response', 'ResponseEvent'))],
  'get /v1/responses/{id}': [answer('The stored answer.', json('Response'))],
  'post /v1/responses/compact': [answer('The conversation in one item.', json('CompactedResponse'))],
  'post /v1/messages': [answer('The answer, whole or streamed.', streamed('Message', 'MessageEvent'))],
  'post /v1/messages/count_tokens': [answer('The number of tokens.', json('TokenCount'))],
  'post /v1/embeddings': [answer('The vectors, in the order of the input.', json('Embeddings'))],
  'post /v1/rerank': [answer('The documents, the most relevant first.', json('Ranking'))],
  'post /v1/images/generations': [answer('The pictures.', json('Pictures'))],
  'post /v1/audio/speech': [answer('The sound, as the vendor encodes it.', { 'audio/mpeg': bytes, 'audio/wav': bytes })],
  'post /v1/audio/transcriptions': [answer('The text.', { ...json('Transcription'), 'text/plain': { schema: text } })],
  'get /v1/models': [answer('The models and skills that you may see.', json('ModelList'))],
  'get /v1/models/{*}': [answer('The model.', json('Model'))],
  'get /v1/skills': [answer('The skills that you may see.', json('SkillList'))],
  'get /v1/skills/{name}': [answer('The skill.', json('Skill'))],
  'post /v1/skills/{name}/runs': [
    answer('The result, whole or streamed.', { ...json('SkillRun'), 'text/event-stream': { schema: text } }),
    answer('The run goes on in the background.', json('SkillRun'), '202'),
  ],
  'get /api/runs/stream': [answer('The events, until the reader leaves.', { 'text/event-stream': { schema: text } })],
  'get /v1/runs/{id}': [answer('The run.', { ...json('SkillRun'), 'text/event-stream': { schema: text } })],
};

/** The bodies of operations that take files, by method and path. */
export const uploads: Readonly<Record<string, JsonObject>> = {
  'post /v1/audio/transcriptions': {
    'multipart/form-data': {
      schema: object({ model: text, file: { type: 'string', contentMediaType: 'audio/*' }, 'language?': text, 'prompt?': text }),
    },
  },
  'post /api/skills/import': { 'application/zip': bytes },
};
