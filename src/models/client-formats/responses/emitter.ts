/** The strict emitter of OpenAI's Responses: the ordered events of a stream, or one whole response. */
import type { ChatEvent, StepRecord, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { customCallsOf, type CustomCalls } from '../custom-calls.ts';
import { soundWithoutTranscript } from '../sound.ts';
import { Output, type OutputForm } from './output-items.ts';
import type { EventSink } from './event-sink.ts';
import { renderResponseUsage } from './usage.ts';

/** A response that has ended. */
export interface CompleteResponse {
  readonly response: JsonObject;
  /** The answer as chat-completions messages, for a later response that continues it. */
  readonly messages: readonly JsonObject[];
}

export interface ResponseOptions extends OutputForm {
  /** `resp_…` */
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  /** The public model name in the caller's request. */
  readonly model: string;
  /** Request fields that the response repeats. */
  readonly echo: JsonObject;
  /** What the headers could not say any more: it goes into the last event. */
  readonly late?: JsonObject & { readonly warnings?: readonly string[] };
  /** Called once, before the final event is emitted. Not called for a failed response. */
  readonly onComplete: (complete: CompleteResponse) => void;
}

type Finish = Extract<ChatEvent, { type: 'finish' }>;

/** Shared by streams and whole responses: takes the first choice only, and nothing after its end. */
class Answer {
  ended = false;
  readonly #options: ResponseOptions;
  readonly #output: Output;
  readonly #steps: StepRecord[] = [];
  #finish: Finish | null = null;
  #usage: Usage | null = null;
  readonly #customCalls: CustomCalls | undefined;

  constructor(options: ResponseOptions, sink: EventSink) {
    this.#options = options;
    this.#customCalls = customCallsOf(options.origins?.customNames);
    this.#output = new Output(sink, options.id, options);
  }

  takeAll(events: readonly ChatEvent[]): void {
    for (const event of this.#customCalls === undefined ? events : this.#customCalls.readAll(events)) this.#take(event);
  }

  #take(event: ChatEvent): void {
    if (event.type === 'response-start' || this.ended) return;
    if (event.type === 'response-end') {
      this.#usage = event.usage;
      this.ended = true;
    } else if (event.type === 'step') {
      if (event.step.status !== 'started') this.#steps.push(event.step);
      this.#output.step(event);
    } else if (event.choice === 0 && this.#finish === null) {
      if (event.type === 'finish') {
        this.#finish = event;
        this.#output.end(this.#cutShort() === null ? 'completed' : 'incomplete');
      } else this.#output.take(event);
    }
  }

  /** The response at its start. */
  begun(): JsonObject {
    return this.#render('in_progress', { output: [], usage: null });
  }

  /** The response after a failure. */
  failed(error: GatewayError): JsonObject {
    const code = error.code === 'rate_limited' ? 'rate_limit_exceeded' : 'server_error';
    const output = this.#output.items.map((item) => (item['status'] === 'in_progress' ? { ...item, status: 'incomplete' } : item));
    return this.#render('failed', { output, usage: null, error: { code, message: error.message } });
  }

  /** `streamed`: the headers were sent before the end, so a warning goes into the response. Throws `upstream_interrupted` when the events stopped before `response-end`. */
  complete(streamed: boolean): JsonObject {
    if (!this.ended || this.#finish === null) {
      throw new GatewayError('upstream_interrupted', 'The vendor cut the answer short. Send the request again.');
    }
    if (this.#output.hasOnlySound) throw soundWithoutTranscript();
    const reason = this.#cutShort();
    const response = this.#render(reason === null ? 'completed' : 'incomplete', {
      output: this.#output.items,
      usage: renderResponseUsage(this.#usage),
      completed_at: reason === null ? Math.floor(Date.now() / 1000) : null,
      incomplete_details: reason === null ? null : { reason },
      // Members beyond OpenAI's schema, where its clients ignore them.
      ...this.#pailouMember(streamed ? this.#finish.warning : undefined),
    });
    this.#options.onComplete({ response, messages: this.#output.messages });
    return response;
  }

  #pailouMember(warning: string | undefined): { pailou?: JsonObject } {
    const { late } = this.#options;
    const warnings = [...(late?.warnings ?? []), ...(warning === undefined ? [] : [warning])];
    const limit = this.#finish?.limit;
    const members: JsonObject = {
      ...late,
      ...(this.#steps.length === 0 ? {} : { steps: this.#steps as unknown as readonly JsonObject[] }),
      ...(this.#steps.length === 0 || limit === undefined ? {} : { limit }),
      ...(warnings.length === 0 ? {} : { warnings }),
    };
    return Object.keys(members).length === 0 ? {} : { pailou: members };
  }

  #cutShort(): string | null {
    // OpenAI has no reason for this case, and its clients accept any.
    if (this.#finish?.raw === 'max_steps') return 'max_steps';
    if (this.#finish?.reason === 'length') return 'max_output_tokens';
    return this.#finish?.reason === 'content_filter' ? 'content_filter' : null;
  }

  #render(status: string, more: JsonObject): JsonObject {
    const { id, created, model, echo } = this.#options;
    const nothing = { background: false, completed_at: null, error: null, incomplete_details: null };
    return { id, object: 'response', created_at: created, status, ...nothing, model, ...echo, ...more };
  }
}

/** Renders one stream. One emitter per answer. */
export interface ResponseEmitter {
  /** The `event:` and `data:` lines of one batch. After the end of the answer it emits nothing more. */
  write(events: readonly ChatEvent[]): string;
  /** The end of a failed stream: `error` and `response.failed`, never `response.completed`. */
  error(error: GatewayError, requestId: string): string;
}

export function createResponseEmitter(options: ResponseOptions): ResponseEmitter {
  let text = '';
  let number = 0;
  let finished = false;
  const emit: EventSink = (type, members) => {
    // Rendered around the members without an intermediate object: every token takes this path.
    text += `event: ${type}\ndata: {"type":"${type}","sequence_number":${number++},${JSON.stringify(members).slice(1)}\n\n`;
  };
  const answer = new Answer(options, emit);
  const start = (): void => {
    if (number > 0) return;
    emit('response.created', { response: answer.begun() });
    emit('response.in_progress', { response: answer.begun() });
  };
  return {
    write(events) {
      if (finished) return '';
      text = '';
      start();
      answer.takeAll(events);
      if (answer.ended) {
        const response = answer.complete(true);
        finished = true;
        emit(response['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed', { response });
      }
      return text;
    },
    error(error, requestId) {
      finished = true;
      text = '';
      start();
      emit('error', { code: error.code, message: error.message, param: error.param, request_id: requestId });
      emit('response.failed', { response: answer.failed(error) });
      return text;
    },
  };
}

/** Collects the whole answer as the JSON text of one response. `text` throws when the answer is incomplete. */
export function createResponseCollector(options: ResponseOptions): { add(events: readonly ChatEvent[]): void; text(): string } {
  const answer = new Answer(options, () => {});
  return {
    add: (events) => answer.takeAll(events),
    text: () => JSON.stringify(answer.complete(false)),
  };
}
