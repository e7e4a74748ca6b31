/** The last step of a chat call, for every client format: writes the events as one body or as a stream. */
import type { FastifyReply } from 'fastify';
import { pushBatches } from '../../streaming/pumped-batches.ts';
import type { BatchSink, BatchSource } from '../../types/batch-source.ts';
import type { JsonObject } from '../../types/json.ts';
import type { ChatEvent } from '../../types/chat.ts';
import { type GatewayError, toGatewayError } from '../../types/errors.ts';
import type { ChatAnswer } from '../../application/route-chat.ts';
import { StreamWriter } from './stream-writer.ts';
import { endRunWithError } from '../../application/models/recorded-run.ts';

/** Collects one whole answer in a client format. */
export interface AnswerCollector {
  add(events: readonly ChatEvent[]): void;
  /** The answer as JSON text. Throws when the events are no complete answer of this format. */
  text(): string;
}

/** Writes one answer in a client format. Only one of the two is used. */
export interface AnswerWriter {
  collect(): AnswerCollector;
  stream(): {
    /** The text of one batch; empty when there is nothing to write. */
    write(events: readonly ChatEvent[]): string;
    /** The last event of a failed stream. */
    error(error: GatewayError, requestId: string): string;
  };
}

/** Percent-encodes characters beyond ASCII, which headers cannot hold: `%E9%80%9A`. */
function headerText(text: string): string {
  return isPlain.test(text) ? text : text.replace(/[^\x20-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}

const isPlain = /^[\x20-\x7e]*$/;

/** Sets the headers that name the deployment, the attempts and the warnings. */
export function addAnswerHeaders(reply: FastifyReply, answer: Pick<ChatAnswer, 'run' | 'deployment' | 'attempts' | 'warnings'>): void {
  if (answer.deployment !== null) reply.header('x-pailou-deployment', headerText(answer.deployment));
  if (answer.attempts !== null) reply.header('x-pailou-attempts', answer.attempts);
  if (answer.warnings.length > 0) reply.header('x-pailou-warnings', headerText(answer.warnings.join('; ')).slice(0, 1_000));
  reply.header('x-pailou-trace-id', answer.run.id);
}

/** As Fastify does for a handler that throws. */
function sendError(reply: FastifyReply, thrown: unknown): void {
  void reply.send(thrown instanceof Error ? thrown : toGatewayError(thrown));
}

/** Sends a whole answer in one piece, or the error of the call. */
class WholeAnswer implements BatchSink<readonly ChatEvent[]> {
  readonly #reply: FastifyReply;
  readonly #collector: AnswerCollector;
  readonly #source: BatchSource<readonly ChatEvent[]>;

  constructor(reply: FastifyReply, collector: AnswerCollector, source: BatchSource<readonly ChatEvent[]>) {
    this.#reply = reply;
    this.#collector = collector;
    this.#source = source;
  }

  write(events: readonly ChatEvent[]): boolean {
    try {
      this.#collector.add(events);
      return true;
    } catch (thrown) {
      this.#giveUp(thrown);
      return false;
    }
  }

  end(last: readonly ChatEvent[] | null): void {
    let text: string;
    try {
      if (last !== null) this.#collector.add(last);
      text = this.#collector.text();
    } catch (thrown) {
      this.#giveUp(thrown);
      return;
    }
    void this.#reply.header('content-type', 'application/json; charset=utf-8').send(text);
  }

  fail(thrown: unknown): void {
    sendError(this.#reply, thrown);
  }

  /** The events cannot be expressed in this format. */
  #giveUp(thrown: unknown): void {
    // Never rejects.
    this.#source.cancel({ thrown })?.catch(() => {});
    sendError(this.#reply, thrown);
  }
}

/** What the headers would have said, for an answer whose headers had to leave before it began. */
export interface LateHead extends JsonObject {
  readonly deployment: string | null;
  readonly attempts: number | null;
  readonly warnings?: readonly string[];
  readonly trace_id: string;
}

/** One call's client format. */
export interface AnswerFormat {
  /** `late`: goes into the last event; undefined when the headers say it. */
  writerOf(answer: ChatAnswer, late?: LateHead): AnswerWriter;
  /** The text of the only event of a stream that fails before its answer begins. */
  failure(error: GatewayError, requestId: string): string;
  /** The text that breaks a silence. Default: a comment. */
  readonly ping?: string;
}

function lateHead({ deployment, attempts, warnings, run }: ChatAnswer): LateHead {
  return { deployment, attempts, ...(warnings.length === 0 ? {} : { warnings }), trace_id: run.id };
}

function streamAnswer(stream: StreamWriter<readonly ChatEvent[]>, reply: FastifyReply, answer: ChatAnswer, format: AnswerFormat): void {
  try {
    const late = stream.isOpen ? lateHead(answer) : undefined;
    if (late === undefined) addAnswerHeaders(reply, answer);
    const emitter = format.writerOf(answer, late).stream();
    stream.start(answer.events, {
      write: (batch) => emitter.write(batch),
      fail: (thrown) => emitter.error(toGatewayError(thrown), reply.request.id),
    });
  } catch (thrown) {
    // The events have no reader, so they would not record the run.
    endRunWithError(answer.run, thrown);
    throw thrown;
  }
}

function sendWhole(reply: FastifyReply, answer: ChatAnswer, format: AnswerFormat): void {
  addAnswerHeaders(reply, answer);
  const source = pushBatches(answer.events);
  source.start(new WholeAnswer(reply, format.writerOf(answer).collect(), source));
}

/**
 * Sends the answer of a call when it begins, or the call's error. A stream does not stay silent until then: after a while its headers leave,
 * and failover goes on behind them. A failure after that is an error event and never a clean end.
 */
export function answerWhenBegun(reply: FastifyReply, beginning: Promise<ChatAnswer>, streamed: boolean, format: AnswerFormat): void {
  const stream = streamed ? new StreamWriter<readonly ChatEvent[]>(reply, format.ping) : null;
  const fail = (thrown: unknown): void => {
    if (stream?.isOpen === true) stream.endWith(format.failure(toGatewayError(thrown), reply.request.id));
    else {
      stream?.abandon();
      sendError(reply, thrown);
    }
  };
  beginning.then((answer) => {
    try {
      if (stream === null) sendWhole(reply, answer, format);
      else streamAnswer(stream, reply, answer, format);
    } catch (thrown) {
      if (!reply.sent) fail(thrown);
      else reply.log.error({ err: thrown }, 'an answer could not begin');
    }
  }, fail);
}
