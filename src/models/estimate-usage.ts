/** Estimates token counts when the vendor sent none. Estimates are marked. */
import type { ChatBody, Usage } from '../types/chat.ts';
import type { Json } from '../types/json.ts';
import type { Logger } from '../types/logger.ts';
import { choicesOf } from './choice-count.ts';
import { TokenCounter } from './token-counter.ts';

/** Longer texts are counted by a sample, so that an estimate never blocks the event loop for long. */
const sampleLength = 4096;
let counter: TokenCounter | null = null;
let loading: Promise<void> | null = null;

/** Loads the tokenizer once, in slices that do not hold the event loop. Until then counts go by characters. */
export function loadTokenizer(): Promise<void> {
  loading ??= TokenCounter.load().then((loaded) => {
    counter = loaded;
  });
  return loading;
}

/** Milliseconds after the start of a node, when its first calls are over. */
const loadAfterMs = 2_000;

/** Loads the tokenizer after the start of a node, so that no call meets it. Disposing it ends the wait. */
export function loadTokenizerAfterStart(logger: Logger): Disposable {
  const timer = setTimeout(() => {
    loadTokenizer().catch((thrown: unknown) => logger.warn({ err: thrown }, 'the tokenizer cannot be loaded; estimates go by characters'));
  }, loadAfterMs).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** The vendors' rule of thumb: four Latin characters per token, or about one and a half of Chinese, Japanese or Korean. */
function countCharacters(text: string): number {
  const wide = text.match(/[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]/g)?.length ?? 0;
  return Math.ceil(wide / 1.5 + (text.length - wide) / 4);
}

/** The approximate number of tokens in `text`. The work is limited to one sample. */
export function estimateTokens(text: string): number {
  if (text === '') return 0;
  if (counter === null) {
    // The caller must not wait. After a failed load estimates only stay rougher.
    loadTokenizer().catch(() => {});
  }
  const count = (sample: string): number => counter?.count(sample) ?? countCharacters(sample);
  if (text.length <= sampleLength) return count(text);
  const third = Math.floor(sampleLength / 3);
  const middle = Math.floor(text.length / 2);
  const sample = text.slice(0, third) + text.slice(middle, middle + third) + text.slice(-third);
  return Math.round((count(sample) / sample.length) * text.length);
}

/** All text of a message, including its tool calls. Pictures and sounds are not estimated. */
function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value.startsWith('data:') ? '' : value;
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(textOf).join('\n');
  return '';
}

/** The estimated usage of a chat: the request, and the answer's `text` with reasoning and tool arguments. */
export function estimateUsage(body: ChatBody, text: string): Usage {
  const promptText = body.messages.map(textOf).join('\n');
  const tools = body.tools === undefined || body.tools === null ? '' : textOf(body.tools);
  // Each message has four framing tokens, the answer three.
  const inputTokens = 3 + 4 * body.messages.length + estimateTokens(promptText) + estimateTokens(tools);
  return { inputTokens, outputTokens: estimateTokens(text), estimated: true };
}

/** The vendor's counts of a chat. What it did not count is estimated from the request and the answer's `text`. */
export function completedUsage(reported: Usage | null, body: ChatBody, text: string): Usage {
  if (reported === null) return estimateUsage(body, text);
  if (reported.uncounted === undefined) return reported;
  // The vendor's own object would lack the estimate.
  const { uncounted, vendor: _vendor, ...counted } = reported;
  const missing = uncounted === 'output' ? { outputTokens: estimateTokens(text) } : { inputTokens: estimateUsage(body, '').inputTokens };
  return { ...counted, ...missing, estimated: true };
}

/** The expected size of a chat before its answer. `outputTokens` is null when the request sets no limit. */
export function estimateSize(body: ChatBody): { inputTokens: number; outputTokens: number | null; answers: number } {
  // With both fields set, the vendor may use either.
  const limits = [body['max_completion_tokens'], body['max_tokens']].filter((each) => typeof each === 'number');
  return {
    inputTokens: estimateUsage(body, '').inputTokens,
    outputTokens: limits.length === 0 ? null : Math.max(...limits),
    answers: choicesOf(body),
  };
}
