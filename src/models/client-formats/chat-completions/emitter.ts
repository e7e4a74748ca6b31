/** The strict emitter of OpenAI's chat completions. It alone sets id, created, model, role, tool index, finish reason and usage placement. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { customCallsOf } from '../custom-calls.ts';
import { renderError } from '../error.ts';
import { type CompletionOptions, collectInto, startCollection, renderCompletion } from './collected-completion.ts';
import { betweenRounds, endsRound, separatesMessages, type TextState } from './round-separator.ts';
import { renderUsage } from './usage.ts';
import { validFinishReason, isUrlCitation, renderExtra, renderImages } from './schema-rules.ts';

export type { CompletionOptions } from './collected-completion.ts';

/** Renders one stream. One emitter per answer. */
export interface ChunkEmitter {
  /** The `data: …` lines of one batch. After `response-end` it emits `[DONE]` and then nothing more. */
  write(events: readonly ChatEvent[]): string;
  /** The end of a failed stream: an error event, no finish reason, no `[DONE]`. */
  error(error: GatewayError, requestId: string): string;
}

interface EmittedCall {
  readonly index: number;
  readonly kind: 'function' | 'custom' | 'legacy';
  empty: boolean;
}

interface EmittedChoice {
  /** Null until the first call of a tool. */
  calls: Map<number, EmittedCall> | null;
  finished: boolean;
  textState: TextState;
  images: number;
}

const done = 'data: [DONE]\n\n';

/** The end of a failed stream: an error event, no finish reason, no `[DONE]`. */
export function failedStream(error: GatewayError, requestId: string): string {
  return `data: ${renderError(error, requestId)}\n\n`;
}

const noCalls: readonly EmittedCall[] = [];

function callsOf({ calls }: EmittedChoice): readonly EmittedCall[] {
  return calls === null ? noCalls : [...calls.values()];
}

class Emitter implements ChunkEmitter {
  readonly #options: CompletionOptions & { readonly includeUsage: boolean };
  readonly #choices = new Map<number, EmittedChoice>();
  readonly #customCalls: ReturnType<typeof customCallsOf>;
  readonly #head: string;
  readonly #close: string;
  readonly #deltaEnd: string;
  #prefix: string;
  #firstChoice = '';
  #ended = false;

  constructor(options: CompletionOptions & { readonly includeUsage: boolean }) {
    this.#options = options;
    this.#customCalls = customCallsOf(options.customTools);
    this.#head = `data: {"id":${JSON.stringify(options.id)},"object":"chat.completion.chunk","created":${options.created},"model":${JSON.stringify(options.model)}`;
    this.#close = options.includeUsage ? ',"usage":null}\n\n' : '}\n\n';
    this.#deltaEnd = `},"logprobs":null,"finish_reason":null}]${this.#close}`;
    this.#prefix = this.#head;
    this.#firstChoice = this.#opened(0);
  }

  get #isClosed(): boolean {
    return !this.#options.reasoning;
  }

  #opened(choice: number): string {
    return `${this.#prefix},"choices":[{"index":${choice},"delta":{`;
  }

  #open(choice: number): string {
    return choice === 0 ? this.#firstChoice : this.#opened(choice);
  }

  #delta(choice: number, members: string): string {
    return this.#open(choice) + members + this.#deltaEnd;
  }

  #deltaWith(choice: number, members: string, logprobs: JsonObject | undefined): string {
    if (logprobs === undefined) return this.#delta(choice, members);
    return `${this.#open(choice)}${members}},"logprobs":${JSON.stringify(logprobs)},"finish_reason":null}]${this.#close}`;
  }

  #begin(choice: number): EmittedChoice {
    const state: EmittedChoice = { calls: null, finished: false, textState: 'none', images: 0 };
    this.#choices.set(choice, state);
    return state;
  }

  #role(choice: number): string {
    return this.#delta(choice, '"role":"assistant","content":""');
  }

  #finish({ choice, reason, limit, warning }: Extract<ChatEvent, { type: 'finish' }>, state: EmittedChoice): string {
    state.finished = true;
    const calls = callsOf(state);
    const honest = validFinishReason(reason, calls);
    let text = '';
    if (honest === 'tool_calls') {
      for (const call of calls) {
        if (call.empty && call.kind === 'function')
          text += this.#delta(choice, `"tool_calls":[{"index":${call.index},"function":{"arguments":"{}"}}]`);
      }
    }
    const end = `},"logprobs":null,"finish_reason":"${honest}"}]`;
    const { late } = this.#options;
    if (this.#isClosed || (limit === undefined && warning === undefined && late === undefined))
      return `${text}${this.#open(choice)}${end}${this.#close}`;
    const warnings = [...(late?.warnings ?? []), ...(warning === undefined ? [] : [warning])];
    const more = { ...late, limit, warnings: warnings.length === 0 ? undefined : warnings };
    return `${text}${this.#open(choice)}${end},"pailou":${JSON.stringify(more)}${this.#close}`;
  }

  #startCall(state: EmittedChoice, event: Extract<ChatEvent, { type: 'tool-call-start' }>): string {
    state.calls ??= new Map();
    if (state.calls.has(event.call)) return '';
    const kind = event.kind ?? 'function';
    const index = callsOf(state).filter((call) => call.kind !== 'legacy').length;
    state.calls.set(event.call, { index, kind, empty: true });
    const name = JSON.stringify(event.name);
    if (kind === 'legacy') return this.#delta(event.choice, `"function_call":{"name":${name},"arguments":""}`);
    const body =
      kind === 'custom'
        ? `"type":"custom","custom":{"name":${name},"input":""}`
        : `"type":"function","function":{"name":${name},"arguments":""}`;
    return this.#delta(event.choice, `"tool_calls":[{"index":${index},"id":${JSON.stringify(event.id)},${body}}]`);
  }

  #continueCall(state: EmittedChoice, event: Extract<ChatEvent, { type: 'tool-call-delta' }>): string {
    const call = state.calls?.get(event.call);
    if (call === undefined || event.arguments === '') return '';
    call.empty = false;
    const text = JSON.stringify(event.arguments);
    if (call.kind === 'legacy') return this.#delta(event.choice, `"function_call":{"arguments":${text}}`);
    return this.#delta(
      event.choice,
      `"tool_calls":[{"index":${call.index},${call.kind === 'custom' ? `"custom":{"input":${text}}` : `"function":{"arguments":${text}}`}}]`,
    );
  }

  #writeDelta(event: Exclude<ChatEvent, { type: 'response-start' | 'response-end' | 'step' | 'vendor' }>): string {
    const { choice } = event;
    let text = '';
    let state = this.#choices.get(choice);
    if (state === undefined) {
      state = this.#begin(choice);
      text = this.#role(choice);
    }
    if (state.finished) return '';
    switch (event.type) {
      case 'text-delta':
        if (state.textState === 'before' && event.text !== '') text += this.#delta(choice, `"content":${JSON.stringify(betweenRounds)}`);
        if (event.text !== '') state.textState = 'now';
        return text + this.#deltaWith(choice, `"content":${JSON.stringify(event.text)}`, event.logprobs);
      case 'reasoning-delta':
        return this.#isClosed ? text : text + this.#delta(choice, `"reasoning_content":${JSON.stringify(event.text)}`);
      case 'refusal-delta':
        return text + this.#deltaWith(choice, `"refusal":${JSON.stringify(event.text)}`, event.logprobs);
      case 'tool-call-start':
        return text + this.#startCall(state, event);
      case 'tool-call-delta':
        return text + this.#continueCall(state, event);
      case 'audio-delta':
        return text + this.#delta(choice, `"audio":${JSON.stringify(event.audio)}`);
      case 'image':
        return text + this.#delta(choice, `"images":${renderImages([event.url], state.images++)}`);
      case 'annotation':
        return isUrlCitation(event.annotation) ? text + this.#delta(choice, `"annotations":[${JSON.stringify(event.annotation)}]`) : text;
      case 'thought':
        return this.#isClosed ? text : text + this.#delta(choice, `"reasoning_details":[${JSON.stringify(event.detail)}]`);
      case 'finish':
        return text + this.#finish(event, state);
    }
  }

  #writeStep(event: Extract<ChatEvent, { type: 'step' }>): string {
    const state = this.#choices.get(0);
    if (state?.textState === 'now' && endsRound(event)) state.textState = 'before';
    if (this.#isClosed) return '';
    let text = '';
    if (state === undefined) {
      this.#begin(0);
      text = this.#role(0);
    }
    return `${text}${this.#prefix},"pailou":{"step":${JSON.stringify(event.step)}},"choices":[{"index":0,"delta":{${this.#deltaEnd}`;
  }

  #separate(event: Extract<ChatEvent, { type: 'vendor' }>): void {
    const state = this.#choices.get(0);
    if (state?.textState === 'now' && separatesMessages(event)) state.textState = 'before';
  }

  #end({ usage }: Extract<ChatEvent, { type: 'response-end' }>): string {
    this.#ended = true;
    if (!this.#options.includeUsage) return done;
    return `${this.#prefix},"choices":[],"usage":${renderUsage(usage, this.#isClosed)}}\n\n${done}`;
  }

  write(events: readonly ChatEvent[]): string {
    let text = '';
    for (const event of this.#customCalls === undefined ? events : this.#customCalls.readAll(events)) {
      if (this.#ended) break;
      if (event.type === 'response-start') {
        // Later model calls of a tool loop start again. The first call sets the members of every chunk.
        if (this.#choices.size > 0) continue;
        this.#prefix = this.#head + renderExtra(event.extra);
        this.#firstChoice = this.#opened(0);
      } else if (event.type === 'response-end') text += this.#end(event);
      else if (event.type === 'step') text += this.#writeStep(event);
      else if (event.type === 'vendor') this.#separate(event);
      else text += this.#writeDelta(event);
    }
    return text;
  }

  error(error: GatewayError, requestId: string): string {
    this.#ended = true;
    return failedStream(error, requestId);
  }
}

/** Options as in `createCompletionCollector`. `includeUsage` adds `usage: null` to every chunk and a last chunk with the counts. */
export function createChunkEmitter(options: CompletionOptions & { readonly includeUsage: boolean }): ChunkEmitter {
  return new Emitter(options);
}

/** Collects the whole answer as the JSON text of one `chat.completion`. `text` throws when the answer is incomplete. */
export function createCompletionCollector(options: CompletionOptions): { add(events: readonly ChatEvent[]): void; text(): string } {
  const collection = startCollection();
  const customCalls = customCallsOf(options.customTools);
  return {
    add(events) {
      for (const event of customCalls === undefined ? events : customCalls.readAll(events)) collectInto(collection, event);
    },
    text: () => renderCompletion(collection, options),
  };
}
