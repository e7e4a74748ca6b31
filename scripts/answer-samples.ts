/** One sample of a vendor's answer for each wire format and each member that an answer may have. `needle` is the value to find in the output. */
import type { Json, JsonObject } from '../src/types/json.ts';

/** A word or number that occurs nowhere else. */
export type Needle = string | number;

export interface Sample {
  readonly body: JsonObject;
  /** Equivalent forms of the member's value. The first one is in the body. */
  readonly needles: readonly Needle[];
}

const url = 'https://needle.example.com/page';
const png = 'iVBORw0KGgoNEEDLE';
const pngUrl = `data:image/png;base64,${png}`;

const call = { id: 'needle-call', type: 'function', function: { name: 'find', arguments: '{}' } };

function openai(message: JsonObject = {}, root: JsonObject = {}, choice: JsonObject = {}): JsonObject {
  const choices = [{ index: 0, message: { role: 'assistant', content: 'So [1].', ...message }, finish_reason: 'stop', ...choice }];
  return {
    id: 'a',
    object: 'chat.completion',
    model: 'm',
    choices,
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    ...root,
  };
}

function anthropic(blocks: readonly JsonObject[] = [], root: JsonObject = {}): JsonObject {
  const content = [{ type: 'text', text: 'So.' }, ...blocks];
  return {
    id: 'a',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 2 },
    ...root,
  };
}

function gemini(parts: readonly JsonObject[] = [], candidate: JsonObject = {}, usage: JsonObject = {}): JsonObject {
  const candidates = [{ content: { parts: [{ text: 'So.' }, ...parts] }, finishReason: 'STOP', ...candidate }];
  return { candidates, usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, ...usage } };
}

function dashscope(message: JsonObject = {}, output: JsonObject = {}, usage: JsonObject = {}, choice: JsonObject = {}): JsonObject {
  const choices = [{ message: { role: 'assistant', content: 'So [1].', ...message }, finish_reason: 'stop', ...choice }];
  return { output: { choices, ...output }, usage: { input_tokens: 3, output_tokens: 2, ...usage }, request_id: 'a' };
}

function ollama(message: JsonObject = {}, root: JsonObject = {}): JsonObject {
  const said = { role: 'assistant', content: 'So.', ...message };
  return { model: 'm', message: said, done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 2, ...root };
}

function bedrock(blocks: readonly JsonObject[] = [], root: JsonObject = {}): JsonObject {
  const message = { role: 'assistant', content: [{ text: 'So.' }, ...blocks] };
  return { output: { message }, stopReason: 'end_turn', usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 }, ...root };
}

const sample = (body: JsonObject, ...needles: Needle[]): Sample => ({ body, needles });
const counted = 4242;
const cut = ['length', 'max_output_tokens', 'max_tokens'];
const filtered = ['content_filter', 'refusal'];
const logprobs: Json = { content: [{ token: 'needle-token', logprob: -1, bytes: null, top_logprobs: [] }] };

export const chatFormats = ['openai', 'anthropic', 'gemini', 'dashscope', 'ollama', 'bedrock'] as const;
export type ChatKind = (typeof chatFormats)[number];

/** Rows of the page in order. A format without such a member is left out. */
export const chatSamples: Readonly<Record<string, Readonly<Partial<Record<ChatKind, Sample>>>>> = {
  text: {
    openai: sample(openai({ content: 'needle' }), 'needle'),
    anthropic: sample(anthropic([{ type: 'text', text: 'needle' }]), 'needle'),
    gemini: sample(gemini([{ text: 'needle' }]), 'needle'),
    dashscope: sample(dashscope({ content: 'needle' }), 'needle'),
    ollama: sample(ollama({ content: 'needle' }), 'needle'),
    bedrock: sample(bedrock([{ text: 'needle' }]), 'needle'),
  },
  reasoning: {
    openai: sample(openai({ reasoning_content: 'needle' }), 'needle'),
    anthropic: sample(anthropic([{ type: 'thinking', thinking: 'needle', signature: 's' }]), 'needle'),
    gemini: sample(gemini([{ text: 'needle', thought: true }]), 'needle'),
    dashscope: sample(dashscope({ reasoning_content: 'needle' }), 'needle'),
    ollama: sample(ollama({ thinking: 'needle' }), 'needle'),
    bedrock: sample(bedrock([{ reasoningContent: { reasoningText: { text: 'needle', signature: 's' } } }]), 'needle'),
  },
  'a signature of the reasoning': {
    anthropic: sample(anthropic([{ type: 'thinking', thinking: 'x', signature: 'needle' }]), 'needle'),
    gemini: sample(gemini([{ text: 'x', thoughtSignature: 'needle' }]), 'needle'),
    bedrock: sample(bedrock([{ reasoningContent: { reasoningText: { text: 'x', signature: 'needle' } } }]), 'needle'),
  },
  'a refusal': { openai: sample(openai({ content: null, refusal: 'needle' }), 'needle') },
  'a tool call': {
    openai: sample(openai({ content: null, tool_calls: [call] }, {}, { finish_reason: 'tool_calls' }), 'needle-call'),
    anthropic: sample(
      anthropic([{ type: 'tool_use', id: 'needle-call', name: 'find', input: {} }], { stop_reason: 'tool_use' }),
      'needle-call',
    ),
    gemini: sample(gemini([{ functionCall: { name: 'needle-name', args: {} } }]), 'needle-name'),
    dashscope: sample(dashscope({ content: '', tool_calls: [call] }, {}, {}, { finish_reason: 'tool_calls' }), 'needle-call'),
    ollama: sample(ollama({ content: '', tool_calls: [{ function: { name: 'needle-name', arguments: {} } }] }), 'needle-name'),
    bedrock: sample(
      bedrock([{ toolUse: { toolUseId: 'needle-call', name: 'find', input: {} } }], { stopReason: 'tool_use' }),
      'needle-call',
    ),
  },
  'a picture': {
    openai: sample(openai({ images: [{ type: 'image_url', image_url: { url: pngUrl } }] }), png),
    gemini: sample(gemini([{ inlineData: { mimeType: 'image/png', data: png } }]), png),
    dashscope: sample(dashscope({ content: [{ image: 'https://needle.example.com/1.png' }] }), 'https://needle.example.com/1.png'),
    bedrock: sample(bedrock([{ image: { format: 'png', source: { bytes: png } } }]), png),
  },
  'sound with its transcript': {
    openai: sample(openai({ content: null, audio: { id: 'a', data: 'AAAA', transcript: 'needle', expires_at: 1 } }), 'needle'),
  },
  'sound without a transcript': {
    openai: sample(openai({ content: null, audio: { id: 'a', data: 'needle', expires_at: 1 } }), 'needle'),
    gemini: sample(
      {
        ...gemini(),
        candidates: [{ content: { parts: [{ inlineData: { mimeType: 'audio/L16', data: 'needle' } }] }, finishReason: 'STOP' }],
      },
      'needle',
    ),
  },
  'cited pages of the web': {
    openai: sample(openai({}, { search_results: [{ url, title: 'A' }] }), url),
    anthropic: sample(
      anthropic([
        {
          type: 'text',
          text: 'x',
          citations: [{ type: 'web_search_result_location', url, title: 'A', encrypted_index: 'e', cited_text: '' }],
        },
      ]),
      url,
    ),
    gemini: sample(gemini([], { groundingMetadata: { groundingChunks: [{ web: { uri: url, title: 'A' } }] } }), url),
    dashscope: sample(dashscope({}, { search_info: { search_results: [{ index: 1, url, title: 'A' }] } }), url),
    bedrock: sample(
      bedrock([{ citationsContent: { content: [{ text: 'x' }], citations: [{ title: 'A', location: { web: { url } } }] } }]),
      url,
    ),
  },
  'annotations of the message': {
    openai: sample(
      openai({ annotations: [{ type: 'url_citation', url_citation: { url, title: 'A', start_index: 0, end_index: 2 } }] }),
      url,
    ),
  },
  'code that ran at Anthropic': {
    anthropic: sample(
      anthropic([{ type: 'server_tool_use', id: 'srvtoolu_1', name: 'code_execution', input: { code: 'needle' } }]),
      'needle',
    ),
  },
  'code that ran at Google': {
    gemini: sample(gemini([{ executableCode: { language: 'PYTHON', code: 'needle' } }]), 'needle'),
  },
  'log probabilities': {
    openai: sample(openai({}, {}, { logprobs }), 'needle-token'),
    dashscope: sample(dashscope({}, {}, {}, { logprobs }), 'needle-token'),
  },
  'an end at the limit of length': {
    openai: sample(openai({}, {}, { finish_reason: 'length' }), ...cut),
    anthropic: sample(anthropic([], { stop_reason: 'max_tokens' }), 'max_tokens', ...cut),
    gemini: sample(gemini([], { finishReason: 'MAX_TOKENS' }), 'MAX_TOKENS', ...cut),
    dashscope: sample(dashscope({}, {}, {}, { finish_reason: 'length' }), ...cut),
    ollama: sample(ollama({}, { done_reason: 'length' }), ...cut),
    bedrock: sample(bedrock([], { stopReason: 'max_tokens' }), 'max_tokens', ...cut),
  },
  'an end by a filter': {
    openai: sample(openai({}, {}, { finish_reason: 'content_filter' }), ...filtered),
    anthropic: sample(anthropic([], { stop_reason: 'refusal' }), 'refusal', ...filtered),
    gemini: sample(gemini([], { finishReason: 'SAFETY' }), 'SAFETY', ...filtered),
    bedrock: sample(bedrock([], { stopReason: 'guardrail_intervened' }), 'guardrail_intervened', ...filtered),
  },
  'counts of tokens': {
    openai: sample(openai({}, { usage: { prompt_tokens: counted, completion_tokens: 2, total_tokens: counted + 2 } }), counted),
    anthropic: sample(anthropic([], { usage: { input_tokens: counted, output_tokens: 2 } }), counted),
    gemini: sample(gemini([], {}, { promptTokenCount: counted }), counted),
    dashscope: sample(dashscope({}, {}, { input_tokens: counted }), counted),
    ollama: sample(ollama({}, { prompt_eval_count: counted }), counted),
    bedrock: sample(bedrock([], { usage: { inputTokens: counted, outputTokens: 2, totalTokens: counted + 2 } }), counted),
  },
  'an error in an answer of status 200': {
    openai: sample({ error: { code: 'insufficient_quota', message: 'needle' } }, 'needle'),
    anthropic: sample({ type: 'error', error: { type: 'overloaded_error', message: 'needle' } }, 'needle'),
    gemini: sample({ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'needle' } }, 'needle'),
    dashscope: sample({ code: 'Throttling', message: 'needle', request_id: 'a' }, 'needle'),
    ollama: sample({ error: 'needle' }, 'needle'),
    bedrock: sample({ message: 'needle', type: 'error' }, 'needle'),
  },
};

const vector = [0.125, 4242.5];
const embeddingNeedle = 4242.5;

/** Answers with one vector. */
export const embeddingSamples: Readonly<Record<string, Readonly<Record<string, Sample>>>> = {
  'a vector': {
    openai: sample({ data: [{ index: 0, embedding: vector }] }, embeddingNeedle),
    gemini: sample({ embeddings: [{ values: vector }] }, embeddingNeedle),
    vertex: sample({ predictions: [{ embeddings: { values: vector } }] }, embeddingNeedle),
    dashscope: sample({ output: { embeddings: [{ text_index: 0, embedding: vector }] } }, embeddingNeedle),
    ollama: sample({ embeddings: [vector] }, embeddingNeedle),
    bedrock: sample({ embedding: vector }, embeddingNeedle),
  },
  'two vectors for one input': {
    openai: sample(
      {
        data: [
          { index: 0, embedding: vector },
          { index: 1, embedding: vector },
        ],
      },
      embeddingNeedle,
    ),
    gemini: sample({ embeddings: [{ values: vector }, { values: vector }] }, embeddingNeedle),
    vertex: sample({ predictions: [{ embeddings: { values: vector } }, { embeddings: { values: vector } }] }, embeddingNeedle),
    dashscope: sample(
      {
        output: {
          embeddings: [
            { text_index: 0, embedding: vector },
            { text_index: 1, embedding: vector },
          ],
        },
      },
      embeddingNeedle,
    ),
    ollama: sample({ embeddings: [vector, vector] }, embeddingNeedle),
    bedrock: sample({ embeddings: [vector, vector] }, embeddingNeedle),
  },
};

const score = 0.4242;

/** Answers with the rank of one document. */
export const rerankSamples: Readonly<Record<string, Readonly<Record<string, Sample>>>> = {
  'the score of a document': {
    openai: sample({ results: [{ index: 0, relevance_score: score }] }, score),
    dashscope: sample({ output: { results: [{ index: 0, relevance_score: score }] } }, score),
  },
  'a document that was not sent': {
    openai: sample({ results: [{ index: 1, relevance_score: score }] }, score),
    dashscope: sample({ output: { results: [{ index: 1, relevance_score: score }] } }, score),
  },
};

/** Answers whose bodies pass through, as content type and body. `null` means that the body is the member itself. */
export const mediaSamples = {
  'an answer': {
    images: ['application/json', '{"data":[{"b64_json":"needle"}]}'],
    speech: ['audio/mpeg', 'needle'],
    transcriptions: ['application/json', '{"text":"needle"}'],
  },
  'an error in an answer of status 200': {
    images: ['application/json', '{"error":{"message":"needle"}}'],
    speech: ['application/json', '{"error":{"message":"needle"}}'],
    transcriptions: ['application/json', '{"error":{"message":"needle"}}'],
  },
  'an event of a stream': {
    images: ['text/event-stream', 'data: {"type":"image_generation.completed","b64_json":"needle"}\n\n'],
    speech: ['text/event-stream', 'data: {"type":"speech.audio.delta","audio":"needle"}\n\n'],
    transcriptions: ['text/event-stream', 'data: {"type":"transcript.text.delta","delta":"needle"}\n\n'],
  },
} as const;
