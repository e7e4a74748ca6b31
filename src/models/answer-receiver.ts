/** Receives one chat answer: its bytes become events on the turn on which they arrive. Whether it is streamed is detected from its bytes, whatever its content type says. */
import type { OutboundClient, PushedRequest } from '../outbound/client.ts';
import type { Receiver, UpstreamHeaders, UpstreamLink } from '../outbound/receiver.ts';
import type { ChatEvent, Usage } from '../types/chat.ts';
import type { GatewayError } from '../types/errors.ts';
import type { ChatDecoder, ChatFormat, Reading, StreamProgress } from '../types/wire-format.ts';
import { answerTooLarge, failureBytes, ReceivedBytes, wholeBytes } from './bounded-body.ts';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { checkChoices } from './positional-answers.ts';
import { refusedCounts } from './refused-counts.ts';
import { contentType, foreignAnswer } from './send-upstream.ts';

/** Listens to one answer. After `end` or `fail` nothing follows. No method throws. */
export interface AnswerListener {
  /** The vendor accepted the request. */
  accepted(status: number): void;
  /** Bytes of the answer have come, whatever they say: the vendor works. Called before their events. */
  alive(): void;
  /** The events of one read. Nothing follows a batch with `response-end`. */
  batch(events: readonly ChatEvent[]): void;
  /** The body ended before `response-end`. */
  end(): void;
  fail(thrown: unknown): void;
}

/** How an answer is read. */
export interface AnswerReading {
  readonly format: ChatFormat;
  /** A stream was requested. The vendor decides: some always stream, some never do. */
  readonly asksStream: boolean;
  readonly reading: Reading;
  /** Called with each batch before the listener; null when nothing is remembered. */
  readonly remember: ((events: readonly ChatEvent[]) => void) | null;
  /** The error for a response without a success status. */
  refusal(status: number, headers: UpstreamHeaders, text: string): GatewayError;
}

const noHeaders: UpstreamHeaders = {};
const brace = 0x7b;
const fieldOfEvents = /^(data|event|id|retry|):/;

/** How long a silent vendor is waited for after a finish reason. It may still send its counts, more content after an earlier finish reason, or only the end of the body. */
const quietMs: Readonly<Record<Exclude<StreamProgress, 'open'>, number>> = { finished: 1_000, refinished: 5_000, counted: 250 };

function firstCharacter(bytes: Buffer): number | undefined {
  let at = 0;
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at++;
  return bytes[at];
}

/** One answer in progress. The owner pauses, resumes and aborts it. */
export class AnswerReceiver implements Receiver {
  readonly warnings: readonly string[];
  readonly #how: AnswerReading;
  readonly #listener: AnswerListener;
  #link: UpstreamLink | null = null;
  #onAbort: (() => void) | null = null;
  #status = 0;
  /** Those of a refusal. */
  #headers: UpstreamHeaders = noHeaders;
  /** Null for a whole answer, or for the body of a refusal. */
  #decoder: ChatDecoder | null = null;
  #mayBeWhole = false;
  /** The counts of a whole answer. */
  #counted: Usage | null = null;
  readonly #received = new ReceivedBytes();
  #quiet: NodeJS.Timeout | undefined;
  #paused = false;
  #over = false;

  constructor(how: AnswerReading, listener: AnswerListener, warnings: readonly string[]) {
    this.#how = how;
    this.#listener = listener;
    this.warnings = warnings;
  }

  /** Sends the request, unless the owner has aborted meanwhile. Throws when it cannot be made. */
  send(client: OutboundClient, request: PushedRequest): void {
    if (this.#over) return;
    this.#onAbort = null;
    this.#link = client.push(request, this);
    if (this.#paused) this.#link.pause();
  }

  /** Calls `listener` when the owner aborts before the request is sent. */
  whileWaiting(listener: () => void): void {
    this.#onAbort = listener;
  }

  head(status: number, headers: UpstreamHeaders): void {
    this.#status = status;
    if (!this.#isAccepted) {
      this.#headers = headers;
      return;
    }
    const type = contentType(headers);
    const foreign = foreignAnswer(status, type);
    if (foreign !== null) {
      this.#fail(foreign);
      return;
    }
    this.#listener.accepted(status);
    const { format, reading, asksStream } = this.#how;
    this.#mayBeWhole = type === 'text/event-stream';
    if (this.#mayBeWhole || (asksStream && type !== 'application/json')) this.#decoder = format.decoder(reading);
  }

  get #isAccepted(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  data(bytes: Buffer): void {
    if (this.#over) return;
    if (this.#isAccepted) this.#listener.alive();
    if (this.#mayBeWhole) {
      this.#mayBeWhole = false;
      if (firstCharacter(withoutByteOrderMark(bytes)) === brace) this.#decoder = null;
    }
    if (this.#decoder === null) {
      this.#keep(bytes);
      return;
    }
    try {
      this.#take(this.#decoder.push(bytes));
    } catch (thrown) {
      this.#fail(thrown);
    }
    if (!this.#over) this.#watchSilence(this.#decoder.progress);
  }

  #keep(bytes: Buffer): void {
    const size = this.#received.add(bytes);
    if (!this.#isAccepted) {
      if (size >= failureBytes) this.#refused();
    } else if (size > wholeBytes) this.#fail(answerTooLarge(wholeBytes));
  }

  #take(events: readonly ChatEvent[]): void {
    if (events.length === 0) return;
    this.#how.remember?.(events);
    if (events.at(-1)?.type === 'response-end') {
      this.#close();
      this.#link?.release();
    }
    this.#listener.batch(events);
  }

  #watchSilence(progress: StreamProgress): void {
    if (progress === 'open' && this.#quiet === undefined) return;
    clearTimeout(this.#quiet);
    this.#quiet = progress === 'open' || this.#paused ? undefined : setTimeout(() => this.end(), quietMs[progress]);
  }

  /** The body has ended, or the vendor is waited for no longer. */
  end(): void {
    if (this.#over) return;
    if (!this.#isAccepted) {
      this.#refused();
      return;
    }
    try {
      this.#take(this.#decoder === null ? this.#decodeWhole() : this.#decoder.end());
    } catch (thrown) {
      this.#fail(thrown);
    }
    if (this.#over) return;
    this.abort();
    this.#listener.end();
  }

  #decodeWhole(): readonly ChatEvent[] {
    const { format, reading } = this.#how;
    const bytes = withoutByteOrderMark(this.#received.bytes());
    let events: readonly ChatEvent[];
    if (firstCharacter(bytes) !== brace && fieldOfEvents.test(bytes.toString('latin1', 0, 16).trimStart())) {
      // A stream whose content type says JSON.
      const decoder = format.decoder(reading);
      events = [...decoder.push(bytes), ...decoder.end()];
    } else {
      try {
        events = format.decodeResponse(bytes, reading);
      } catch (thrown) {
        this.#counted = refusedCounts(bytes, format, reading);
        throw thrown;
      }
    }
    const last = events.at(-1);
    if (last?.type === 'response-end') this.#counted = last.usage;
    checkChoices(events, reading.choices);
    return events;
  }

  /** The connection failed. */
  fail(error: GatewayError): void {
    if (this.#over || this.endIfFinished()) return;
    // The status suffices; the body only adds details.
    if (this.#status !== 0 && !this.#isAccepted) this.#refused();
    else this.#fail(error);
  }

  /** Ends a stream after its finish reason, when only counts can be lost. False when more of the answer is missing. */
  endIfFinished(): boolean {
    const progress = this.#decoder?.progress;
    if (progress !== 'finished' && progress !== 'counted') return false;
    this.end();
    return true;
  }

  #refused(): void {
    const text = this.#received.bytes().toString('utf8', 0, failureBytes);
    this.#fail(this.#how.refusal(this.#status, this.#headers, text));
  }

  /** The counts that the vendor has sent so far; null without. */
  get usage(): Usage | null {
    return this.#decoder?.usage ?? this.#counted;
  }

  /** The request could not be sent. */
  refuse(thrown: unknown): void {
    if (!this.#over) this.#fail(thrown);
  }

  #fail(thrown: unknown): void {
    this.abort();
    this.#listener.fail(thrown);
  }

  #close(): void {
    this.#over = true;
    clearTimeout(this.#quiet);
    const onAbort = this.#onAbort;
    this.#onAbort = null;
    onAbort?.();
  }

  /** The listener hears nothing more. */
  abort(): void {
    if (this.#over) return;
    this.#close();
    this.#link?.abort();
  }

  pause(): void {
    this.#paused = true;
    clearTimeout(this.#quiet);
    this.#link?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#over) return;
    // Bytes that are read before the timer ends set it anew.
    if (this.#decoder !== null) this.#watchSilence(this.#decoder.progress);
    this.#link?.resume();
  }
}
