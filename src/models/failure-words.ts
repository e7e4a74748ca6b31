/** Errors that vendors express by their message only, under a misleading status. One table for all kinds of providers. */
import type { ErrorCode } from '../types/errors.ts';

export interface FailureWords {
  readonly words: RegExp;
  readonly code: ErrorCode;
  /** The statuses to which the entry applies. Default: all. */
  readonly statuses?: readonly number[];
}

const refusals = [400, 413, 422];

/** The first matching entry applies. Entries are not bound to a provider kind, because one server software runs behind many kinds. */
export const failureWords: readonly FailureWords[] = [
  // llama.cpp uses status 500 for both. https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server.cpp
  {
    words: /(?:image|audio|video|multimodal) input is not supported|this server does not support multimodal/i,
    code: 'unsupported_parameter',
  },
  // llama.cpp without its templates for tools, and with a schema that its grammar cannot express.
  { words: /requires? --jinja|unsupported param: |custom grammar constraints with tools/i, code: 'unsupported_parameter' },
  { words: /failed to parse grammar|json schema conversion failed/i, code: 'invalid_request' },
  { words: /input .{0,40}is too large to process|input is too large|exceeds the available context size/i, code: 'context_length_exceeded' },
  // Ollama, status 500. https://github.com/ollama/ollama/blob/main/server/images.go
  { words: /missing data required for image input|failed to process inputs: .{0,60}image/i, code: 'unsupported_parameter' },
  {
    words: /does not support (?:tools|thinking|chat|generate|embeddings?|insert|completions?|images?|vision)/i,
    code: 'unsupported_parameter',
  },
  // vLLM and SGLang. https://docs.vllm.ai/en/latest/features/multimodal_inputs.html
  { words: /is not a multimodal model|At most 0 (?:image|audio|video)\(s\) may be provided/i, code: 'unsupported_parameter' },
  // Groq, when the code is missing. https://console.groq.com/docs/tool-use
  { words: /failed to call a function|tool call validation failed/i, code: 'tool_use_failed' },
  // Kimi, TGI, Qianfan and OpenAI-compatible vendors, in many wordings.
  {
    words:
      /maximum context length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens|input (?:is )?too long|range of input length|maximum (?:input|prompt) length|exceeded model token limit|inputs` tokens \+ `max_new_tokens` must be/i,
    code: 'context_length_exceeded',
    statuses: refusals,
  },
  // Servers that answer 400 or 500 for an unknown model: Xinference, LM Studio, llama.cpp's router, Ollama, Bedrock.
  {
    words:
      /provided model identifier is invalid|model ["'`]?[\w./:@-]{1,100}["'`]? (?:was )?not found|model not found|model not exist|no such model|unknown model/i,
    code: 'upstream_model_not_found',
  },
];

/** The error code for the message under this status; undefined when no entry matches. */
export function codeOfMessage(message: string, status: number): ErrorCode | undefined {
  return failureWords.find(({ words, statuses }) => (statuses === undefined || statuses.includes(status)) && words.test(message))?.code;
}
