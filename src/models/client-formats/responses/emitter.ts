/** The strict emitter of OpenAI's Responses: events of a stream in their order, or one whole response. */
import type { ChatEvent, ChatEvents, StepRecord, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { soundWithoutWords } from '../sound.ts';
import { Output, type OutputForm } from './output-items.ts';
import type { EventSink } from './event-sink.ts';
import { renderResponseUsage } from './usage.ts';

/** A response that has come to its end. */
export interface CompleteResponse {
  readonly response: JsonObject;
  /** The answer as messages of chat completions, for a later response to go on from. */
  readonly messages: readonly JsonObject[];
}

export interface ResponseOptions extends OutputForm {
  /** `resp_…` */
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  /** The public name that the caller used. */
  readonly model: string;
  /** The fields of the request that the response repeats. */
  readonly echo: JsonObject;
  /** Called once, before the last words go out; not for a response that failed. */
  readonly onComplete: (complete: CompleteResponse) => void;
}

type Finish = Extract<ChatEvent, { type: 'finish' }>;

/** The part of an answer that streams and whole responses share: the first choice alone, and nothing after its end. */
class Answer {
  ended = false;
  readonly #options: ResponseOptions;
  readonly #output: Output;
  readonly #steps: StepRecord[] = [];
  #finish: Finish | null = null;
  #usage: Usage | null = null;

  constructor(options: ResponseOptions, sink: EventSink) {
    this.#options = options;
    this.#output = new Output(sink, options.id, options);
  }

  take(event: ChatEvent): void {
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

  /** The response before its end. */
  begun(): JsonObject {
    return this.#render('in_progress', { output: [], usage: null });
  }

  /** The response that did not come to its end. */
  failed(error: GatewayError): JsonObject {
    const code = error.code === 'rate_limited' ? 'rate_limit_exceeded' : 'server_error';
    const output = this.#output.items.map((item) => (item['status'] === 'in_progress' ? { ...item, status: 'incomplete' } : item));
    return this.#render('failed', { output, usage: null, error: { code, message: error.message } });
  }

  /** `streamed`: the headers have left without what the vendor did not say. Throws `upstream_interrupted` when the events ended without an end. */
  complete(streamed: boolean): JsonObject {
    if (!this.ended || this.#finish === null) {
      throw new GatewayError('upstream_interrupted', 'The vendor cut the answer short. Send the request again.');
    }
    if (this.#output.lostSound) throw soundWithoutWords();
    const reason = this.#cutShort();
    const response = this.#render(reason === null ? 'completed' : 'incomplete', {
      output: this.#output.items,
      usage: renderResponseUsage(this.#usage),
      completed_at: reason === null ? Math.floor(Date.now() / 1000) : null,
      incomplete_details: reason === null ? null : { reason },
      // Beyond OpenAI's schema, where its clients look past it.
      ...this.#told(streamed ? this.#finish.warning : undefined),
    });
    this.#options.onComplete({ response, messages: this.#output.messages });
    return response;
  }

  #told(warning: string | undefined): { pailou?: JsonObject } {
    if (this.#steps.length === 0) return warning === undefined ? {} : { pailou: { warnings: [warning] } };
    const limit = this.#finish?.limit;
    return {
      pailou: {
        steps: this.#steps as unknown as readonly JsonObject[],
        ...(limit === undefined ? {} : { limit }),
        ...(warning === undefined ? {} : { warnings: [warning] }),
      },
    };
  }

  #cutShort(): string | null {
    // OpenAI has no word for it, and its clients take any.
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

/** Writes one stream. For one answer only. */
export interface ResponseEmitter {
  /** The text of one batch, `event:` lines and all; after the end of the answer it says no more. */
  write(events: readonly ChatEvent[]): string;
  /** The last words of a stream that failed: `error` and `response.failed`, never `response.completed`. */
  error(error: GatewayError, requestId: string): string;
}

export function createResponseEmitter(options: ResponseOptions): ResponseEmitter {
  let text = '';
  let number = 0;
  let silent = false;
  const emit: EventSink = (type, members) => {
    // Written around the members: this stands on the path of every token.
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
      if (silent) return '';
      text = '';
      start();
      for (const event of events) answer.take(event);
      if (answer.ended) {
        const response = answer.complete(true);
        silent = true;
        emit(response['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed', { response });
      }
      return text;
    },
    error(error, requestId) {
      silent = true;
      text = '';
      start();
      emit('error', { code: error.code, message: error.message, param: error.param, request_id: requestId });
      emit('response.failed', { response: answer.failed(error) });
      return text;
    },
  };
}

/** The whole answer as the JSON text of one response. Rejects with what the events reject with. */
export async function collectResponse(events: ChatEvents, options: ResponseOptions): Promise<string> {
  const answer = new Answer(options, () => {});
  for await (const batch of events) for (const event of batch) answer.take(event);
  return JSON.stringify(answer.complete(false));
}
