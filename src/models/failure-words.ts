/** Refusals that vendors tell by their words alone, with a status that says something else: one table for all kinds of providers. */
import type { ErrorCode } from '../types/errors.ts';

export interface FailureWords {
  readonly words: RegExp;
  readonly code: ErrorCode;
  /** The statuses under which the words count; left out: any. */
  readonly statuses?: readonly number[];
}

const refusals = [400, 413, 422];

/** The first entry that fits counts. Servers of one vendor's software stand behind many kinds, so that no entry is bound to a kind. */
export const failureWords: readonly FailureWords[] = [
  // llama.cpp says both with status 500. https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server.cpp
  {
    words: /(?:image|audio|video|multimodal) input is not supported|this server does not support multimodal/i,
    code: 'unsupported_parameter',
  },
  { words: /input .{0,40}is too large to process|input is too large|exceeds the available context size/i, code: 'context_length_exceeded' },
  // Ollama, status 500. https://github.com/ollama/ollama/blob/main/server/images.go
  { words: /missing data required for image input|failed to process inputs: .{0,60}image/i, code: 'unsupported_parameter' },
  {
    words: /does not support (?:tools|thinking|chat|generate|embeddings?|insert|completions?|images?|vision)/i,
    code: 'unsupported_parameter',
  },
  // vLLM and SGLang. https://docs.vllm.ai/en/latest/features/multimodal_inputs.html
  { words: /is not a multimodal model|At most 0 (?:image|audio|video)\(s\) may be provided/i, code: 'unsupported_parameter' },
  // Groq, where the code is missing. https://console.groq.com/docs/tool-use
  { words: /failed to call a function|tool call validation failed/i, code: 'tool_use_failed' },
  // Kimi, TGI, Qianfan and the kin of OpenAI, in many wordings.
  {
    words:
      /maximum context length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens|input (?:is )?too long|range of input length|maximum (?:input|prompt) length|exceeded model token limit|inputs` tokens \+ `max_new_tokens` must be/i,
    code: 'context_length_exceeded',
    statuses: refusals,
  },
  // Servers that answer 400 or 500 for a model that they do not have: Xinference, LM Studio, llama.cpp's router, Ollama.
  {
    words: /model ["'`]?[\w./:@-]{1,100}["'`]? (?:was )?not found|model not found|model not exist|no such model|unknown model/i,
    code: 'upstream_model_not_found',
  },
];

/** The code that the words have under this status; undefined for words that say nothing. */
export function codeOfWords(message: string, status: number): ErrorCode | undefined {
  return failureWords.find(({ words, statuses }) => (statuses === undefined || statuses.includes(status)) && words.test(message))?.code;
}
