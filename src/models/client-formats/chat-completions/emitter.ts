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
  readonly calls: Map<number, EmittedCall>;
  finished: boolean;
  textState: TextState;
  images: number;
}

const done = 'data: [DONE]\n\n';

/** The end of a failed stream: an error event, no finish reason, no `[DONE]`. */
export function failedStream(error: GatewayError, requestId: string): string {
  return `data: ${renderError(error, requestId)}\n\n`;
}

/** Options as in `createCompletionCollector`. `includeUsage` adds `usage: null` to every chunk and a last chunk with the counts. */
export function createChunkEmitter(options: CompletionOptions & { readonly includeUsage: boolean }): ChunkEmitter {
  const choices = new Map<number, EmittedChoice>();
  const closed = !options.reasoning;
  const head = `data: {"id":${JSON.stringify(options.id)},"object":"chat.completion.chunk","created":${options.created},"model":${JSON.stringify(options.model)}`;
  const close = options.includeUsage ? ',"usage":null}\n\n' : '}\n\n';
  const deltaEnd = `},"logprobs":null,"finish_reason":null}]${close}`;
  let prefix = head;
  let firstChoice = `${prefix},"choices":[{"index":0,"delta":{`;
  let ended = false;
  const customCalls = customCallsOf(options.customTools);

  const open = (choice: number): string => (choice === 0 ? firstChoice : `${prefix},"choices":[{"index":${choice},"delta":{`);
  const delta = (choice: number, members: string): string => open(choice) + members + deltaEnd;
  const deltaWith = (choice: number, members: string, logprobs: JsonObject | undefined): string =>
    logprobs === undefined
      ? delta(choice, members)
      : `${open(choice)}${members}},"logprobs":${JSON.stringify(logprobs)},"finish_reason":null}]${close}`;

  const begin = (choice: number): EmittedChoice => {
    const state: EmittedChoice = { calls: new Map(), finished: false, textState: 'none', images: 0 };
    choices.set(choice, state);
    return state;
  };

  const finish = ({ choice, reason, limit, warning }: Extract<ChatEvent, { type: 'finish' }>, state: EmittedChoice): string => {
    state.finished = true;
    const honest = validFinishReason(reason, [...state.calls.values()]);
    let text = '';
    if (honest === 'tool_calls') {
      for (const call of state.calls.values()) {
        if (call.empty && call.kind === 'function')
          text += delta(choice, `"tool_calls":[{"index":${call.index},"function":{"arguments":"{}"}}]`);
      }
    }
    const end = `},"logprobs":null,"finish_reason":"${honest}"}]`;
    const { late } = options;
    const warnings = [...(late?.warnings ?? []), ...(warning === undefined ? [] : [warning])];
    const more = { ...late, limit, warnings: warnings.length === 0 ? undefined : warnings };
    const isPlain = limit === undefined && warning === undefined && late === undefined;
    const pailouMember = closed || isPlain ? '' : `,"pailou":${JSON.stringify(more)}`;
    return `${text}${open(choice)}${end}${pailouMember}${close}`;
  };

  const startCall = (state: EmittedChoice, event: Extract<ChatEvent, { type: 'tool-call-start' }>): string => {
    if (state.calls.has(event.call)) return '';
    const kind = event.kind ?? 'function';
    const index = [...state.calls.values()].filter((call) => call.kind !== 'legacy').length;
    state.calls.set(event.call, { index, kind, empty: true });
    const name = JSON.stringify(event.name);
    if (kind === 'legacy') return delta(event.choice, `"function_call":{"name":${name},"arguments":""}`);
    const body =
      kind === 'custom'
        ? `"type":"custom","custom":{"name":${name},"input":""}`
        : `"type":"function","function":{"name":${name},"arguments":""}`;
    return delta(event.choice, `"tool_calls":[{"index":${index},"id":${JSON.stringify(event.id)},${body}}]`);
  };

  const continueCall = (state: EmittedChoice, event: Extract<ChatEvent, { type: 'tool-call-delta' }>): string => {
    const call = state.calls.get(event.call);
    if (call === undefined || event.arguments === '') return '';
    call.empty = false;
    const text = JSON.stringify(event.arguments);
    if (call.kind === 'legacy') return delta(event.choice, `"function_call":{"arguments":${text}}`);
    return delta(
      event.choice,
      `"tool_calls":[{"index":${call.index},${call.kind === 'custom' ? `"custom":{"input":${text}}` : `"function":{"arguments":${text}}`}}]`,
    );
  };

  const role = (choice: number): string => delta(choice, '"role":"assistant","content":""');

  const writeDelta = (event: Exclude<ChatEvent, { type: 'response-start' | 'response-end' | 'step' | 'vendor' }>): string => {
    let text = '';
    let state = choices.get(event.choice);
    if (state === undefined) {
      state = begin(event.choice);
      text = role(event.choice);
    }
    if (state.finished) return '';
    switch (event.type) {
      case 'text-delta':
        if (state.textState === 'before' && event.text !== '') text += delta(event.choice, `"content":${JSON.stringify(betweenRounds)}`);
        if (event.text !== '') state.textState = 'now';
        return text + deltaWith(event.choice, `"content":${JSON.stringify(event.text)}`, event.logprobs);
      case 'reasoning-delta':
        return closed ? text : text + delta(event.choice, `"reasoning_content":${JSON.stringify(event.text)}`);
      case 'refusal-delta':
        return text + deltaWith(event.choice, `"refusal":${JSON.stringify(event.text)}`, event.logprobs);
      case 'tool-call-start':
        return text + startCall(state, event);
      case 'tool-call-delta':
        return text + continueCall(state, event);
      case 'audio-delta':
        return text + delta(event.choice, `"audio":${JSON.stringify(event.audio)}`);
      case 'image':
        return text + delta(event.choice, `"images":${renderImages([event.url], state.images++)}`);
      case 'annotation':
        return isUrlCitation(event.annotation) ? text + delta(event.choice, `"annotations":[${JSON.stringify(event.annotation)}]`) : text;
      case 'thought':
        return closed ? text : text + delta(event.choice, `"reasoning_details":[${JSON.stringify(event.detail)}]`);
      case 'finish':
        return text + finish(event, state);
    }
  };

  const writeStep = (event: Extract<ChatEvent, { type: 'step' }>): string => {
    const state = choices.get(0);
    if (state?.textState === 'now' && endsRound(event)) state.textState = 'before';
    if (closed) return '';
    let text = '';
    if (!choices.has(0)) {
      begin(0);
      text = role(0);
    }
    return `${text}${prefix},"pailou":{"step":${JSON.stringify(event.step)}},"choices":[{"index":0,"delta":{${deltaEnd}`;
  };

  const separate = (event: Extract<ChatEvent, { type: 'vendor' }>): void => {
    const state = choices.get(0);
    if (state?.textState === 'now' && separatesMessages(event)) state.textState = 'before';
  };

  return {
    write(events) {
      let text = '';
      for (const event of customCalls === undefined ? events : customCalls.readAll(events)) {
        if (ended) break;
        if (event.type === 'response-start') {
          // Later model calls of a tool loop start again. The first call sets the members of every chunk.
          if (choices.size > 0) continue;
          prefix = head + renderExtra(event.extra);
          firstChoice = `${prefix},"choices":[{"index":0,"delta":{`;
        } else if (event.type === 'response-end') {
          ended = true;
          if (options.includeUsage) text += `${prefix},"choices":[],"usage":${renderUsage(event.usage, closed)}}\n\n`;
          text += done;
        } else if (event.type === 'step') text += writeStep(event);
        else if (event.type === 'vendor') separate(event);
        else text += writeDelta(event);
      }
      return text;
    },
    error(error, requestId) {
      ended = true;
      return failedStream(error, requestId);
    },
  };
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
