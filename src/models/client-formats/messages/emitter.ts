/** The strict emitter of Anthropic's Messages: the ordered events of a stream, or one whole message. */
import type { ChatEvent, StepRecord, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { type BlockSink, Blocks, type ContentEvent } from './blocks.ts';
import { CollectedBlocks } from './collected-blocks.ts';
import { renderMessagesError } from './error.ts';
import { approvalInstructions, mcpBlockId, mcpResult, mcpUse } from './mcp-blocks.ts';
import { soundWithoutTranscript } from '../sound.ts';
import { renderStop } from './stop-reason.ts';
import { renderMessagesUsage } from './usage.ts';

export interface MessageOptions {
  /** `msg_…` */
  readonly id: string;
  /** The public model name in the caller's request. */
  readonly model: string;
  /** True when reasoning is included. */
  readonly reasoning: boolean;
  /** True when the caller accepts blocks of server-side tools (`anthropic-beta: mcp-client-…`). */
  readonly mcpBlocks: boolean;
  /** An estimate of the input tokens for the start of a stream, before a vendor's count is known. */
  readonly estimatedInput: () => number;
  /** What the headers could not say any more: it goes into the last event but one. */
  readonly late?: JsonObject & { readonly warnings?: readonly string[] };
}

type Finish = Extract<ChatEvent, { type: 'finish' }>;
type Step = Extract<ChatEvent, { type: 'step' }>;

function renderEvent(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
}

function head(options: MessageOptions): JsonObject {
  return { id: options.id, type: 'message', role: 'assistant', model: options.model };
}

/** Members beyond Anthropic's schema, where its clients ignore them. */
function stepsOf({ steps, finish }: Answer): JsonObject {
  const limit = finish?.limit === undefined ? {} : { limit: finish.limit };
  return steps.length === 0 ? {} : { steps: steps as unknown as readonly JsonObject[], ...limit };
}

function pailouMember(members: JsonObject): object {
  return Object.keys(members).length === 0 ? {} : { pailou: members };
}

/** Shared by streams and whole messages: takes the first choice only, and nothing after its end. */
class Answer {
  readonly blocks: Blocks;
  readonly steps: StepRecord[] = [];
  finish: Finish | null = null;
  usage: Usage | null = null;
  ended = false;
  readonly #options: MessageOptions;
  /** Block ids of server-side calls, by step id. */
  readonly #blockIds = new Map<string, string>();
  readonly #pendingApprovals: Step[] = [];

  constructor(sink: BlockSink, options: MessageOptions) {
    this.#options = options;
    this.blocks = new Blocks(sink, options.reasoning);
  }

  take(event: ChatEvent): void {
    if (event.type === 'response-start' || this.ended) return;
    if (event.type === 'response-end') {
      this.usage = event.usage;
      this.ended = true;
    } else if (event.type === 'step') {
      if (event.step.status !== 'started') this.steps.push(event.step);
      if (event.step.status === 'approval_required') this.#pendingApprovals.push(event);
      else if (this.#options.mcpBlocks && event.call !== undefined) this.#addServerToolCall(event);
      // The text after a tool call is a new block.
      else if (event.step.kind !== 'progress') this.blocks.end();
    } else if (event.choice === 0 && this.finish === null) this.#addContent(event);
  }

  #addServerToolCall(event: Step): void {
    const blockId = this.#blockIds.get(event.step.id);
    if (blockId !== undefined) {
      this.blocks.add(mcpResult(event, blockId));
      return;
    }
    const id = mcpBlockId(this.#options.id, this.#blockIds.size, event.call?.approval);
    this.#blockIds.set(event.step.id, id);
    const { block, delta } = mcpUse(event, id);
    this.blocks.add(block, delta);
  }

  #addContent(event: ContentEvent | Finish): void {
    if (event.type === 'finish') {
      this.finish = event;
      if (this.#pendingApprovals.length > 0) {
        this.blocks.end();
        this.blocks.take({ type: 'text-delta', choice: 0, text: approvalInstructions(this.#pendingApprovals) });
      }
      this.blocks.end();
    } else this.blocks.take(event);
  }

  /** Throws `upstream_interrupted` when the events stopped before `response-end`. */
  stop(): JsonObject {
    if (!this.ended || this.finish === null) {
      throw new GatewayError('upstream_interrupted', 'The vendor cut the answer short. Send the request again.');
    }
    if (this.blocks.hasOnlySound) throw soundWithoutTranscript();
    return renderStop(this.finish, this.usage, { tools: this.blocks.calledTools, refused: this.blocks.refused });
  }
}

/** Renders one stream. One emitter per answer. */
export interface MessageEmitter {
  /** The `event:` and `data:` lines of one batch. After the end of the answer it emits `message_stop` and then nothing more. */
  write(events: readonly ChatEvent[]): string;
  /** The end of a failed stream: an error event, no stop reason, no `message_stop`. */
  error(error: GatewayError, requestId: string): string;
}

/** The event that Anthropic's API sends during a silence. */
export const pingEvent = renderEvent('ping', {});

/** The end of a failed stream: an error event, no stop reason, no `message_stop`. */
export function failedStream(error: GatewayError, requestId: string): string {
  return `event: error\ndata: ${renderMessagesError(error, requestId)}\n\n`;
}

export function createMessageEmitter(options: MessageOptions): MessageEmitter {
  let text = '';
  let started = false;
  let finished = false;
  const answer = new Answer(
    {
      open: (index, block) => (text += renderEvent('content_block_start', { index, content_block: block })),
      delta: (index, delta) => (text += renderEvent('content_block_delta', { index, delta })),
      close: (index) => (text += renderEvent('content_block_stop', { index })),
    },
    options,
  );
  const start = (): void => {
    started = true;
    const usage = { ...renderMessagesUsage({ inputTokens: options.estimatedInput(), outputTokens: 0 }) };
    const empty = { content: [], container: null, stop_reason: null, stop_sequence: null, stop_details: null, usage };
    text += renderEvent('message_start', { message: { ...head(options), ...empty } }) + renderEvent('ping', {});
  };
  return {
    write(events) {
      if (finished) return '';
      text = '';
      if (!started) start();
      for (const each of events) answer.take(each);
      if (answer.ended) {
        finished = true;
        const { stop_reason: reason, stop_sequence: sequence, stop_details: details, container, ...more } = answer.stop();
        const delta = {
          stop_reason: reason,
          stop_sequence: sequence,
          ...(details === undefined ? {} : { stop_details: details }),
          ...(container === undefined ? {} : { container }),
        };
        // The headers have been sent, so a warning goes here.
        const { late } = options;
        const notes = [...(late?.warnings ?? []), ...(answer.finish?.warning === undefined ? [] : [answer.finish.warning])];
        const told: JsonObject = { ...late, ...(notes.length === 0 ? {} : { warnings: notes }) };
        text += renderEvent('message_delta', {
          delta,
          usage: renderMessagesUsage(answer.usage),
          ...more,
          ...pailouMember({ ...stepsOf(answer), ...told }),
        });
        text += renderEvent('message_stop', {});
      }
      return text;
    },
    error(error, requestId) {
      finished = true;
      return failedStream(error, requestId);
    },
  };
}

/** Collects the whole answer as the JSON text of one message. `text` throws when the answer is incomplete. */
export function createMessageCollector(options: MessageOptions): { add(events: readonly ChatEvent[]): void; text(): string } {
  const collected = new CollectedBlocks();
  const answer = new Answer(collected, options);
  return {
    add(events) {
      for (const each of events) answer.take(each);
    },
    text() {
      const rest = { container: null, stop_details: null, ...answer.stop(), usage: renderMessagesUsage(answer.usage) };
      return JSON.stringify({ ...head(options), content: collected.content, ...rest, ...pailouMember(stepsOf(answer)) });
    },
  };
}
