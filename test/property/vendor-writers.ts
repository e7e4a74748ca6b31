/** One answer in each wire format, frame by frame. */
import { close, delta, event as bedrockEvent, metadata, started, stopped } from '../models/vendor-formats/bedrock/samples.ts';
import type { Abilities, Step } from './random-answer.ts';

/** Bytes that a vendor sends at once, and their steps. */
export interface Frame {
  readonly bytes: Buffer;
  readonly steps: readonly Step[];
}

export interface Writer extends Abilities {
  readonly contentType: string;
  /** The bytes at the end of a frame without content: a body without them is equivalent. */
  readonly closing: number;
  /** `terminated`: with the end mark of the format, if it has one. */
  frames(steps: readonly Step[], terminated: boolean): readonly Frame[];
}

const half = (text: string): readonly [string, string] => {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
};
const sse = (data: unknown, name?: string): Buffer =>
  Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
const counts = (output: number) => ({ prompt_tokens: 3, completion_tokens: output, total_tokens: 3 + output });

const openai: Writer = {
  items: ['text', 'thought', 'call', 'image', 'citation'],
  anywhere: true,
  contentType: 'text/event-stream',
  closing: 2,
  frames(steps, terminated) {
    let calls = 0;
    const chunk = (change: object, reason: string | null = null): Buffer =>
      sse({
        id: 'v',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'v',
        choices: [{ index: 0, delta: change, finish_reason: reason }],
      });
    const bytesOf = (step: Step): Buffer => {
      switch (step.kind) {
        case 'text':
          return chunk({ content: step.text });
        case 'thought':
          return chunk({ reasoning_content: step.text });
        case 'call': {
          const [one, other] = half(step.arguments);
          const index = calls++;
          const begun = { index, id: step.id, type: 'function', function: { name: step.name, arguments: one } };
          return Buffer.concat([chunk({ tool_calls: [begun] }), chunk({ tool_calls: [{ index, function: { arguments: other } }] })]);
        }
        case 'image':
          return chunk({ images: [{ type: 'image_url', image_url: { url: step.url } }] });
        case 'citation':
          return chunk({
            annotations: [{ type: 'url_citation', url_citation: { url: step.url, title: 'T', start_index: 0, end_index: 1 } }],
          });
        case 'finish':
          return chunk({}, step.reason);
        case 'counts':
          return sse({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'v', choices: [], usage: counts(step.output) });
      }
    };
    // Counts after a finish reason are the last part of a stream; after early finish reasons they are part of the next frame.
    const frames = steps.map((step) => ({ bytes: bytesOf(step), steps: [step] }));
    return terminated ? [...frames, { bytes: sse('[DONE]'), steps: [] }] : frames;
  },
};

const anthropic: Writer = {
  items: ['text', 'thought', 'call'],
  anywhere: true,
  contentType: 'text/event-stream',
  closing: 2,
  frames(steps, terminated) {
    let blocks = 0;
    let output = 1;
    const event = (type: string, data: object): Buffer => sse({ type, ...data }, type);
    const block = (begun: object, ...deltas: readonly object[]): Buffer => {
      const index = blocks++;
      return Buffer.concat([
        event('content_block_start', { index, content_block: begun }),
        ...deltas.map((each) => event('content_block_delta', { index, delta: each })),
        event('content_block_stop', { index }),
      ]);
    };
    const bytesOf = (step: Step): Buffer => {
      switch (step.kind) {
        case 'text':
          return block({ type: 'text', text: '' }, ...half(step.text).map((text) => ({ type: 'text_delta', text })));
        case 'thought':
          return block(
            { type: 'thinking', thinking: '' },
            { type: 'thinking_delta', thinking: step.text },
            { type: 'signature_delta', signature: 'S' },
          );
        case 'call': {
          const pieces = half(step.arguments).map((text) => ({ type: 'input_json_delta', partial_json: text }));
          return block({ type: 'tool_use', id: step.id, name: step.name, input: {} }, ...pieces);
        }
        case 'finish': {
          const stop = step.reason === 'stop' ? 'end_turn' : 'max_tokens';
          return event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: output } });
        }
        case 'counts':
          output = step.output;
          return event('message_delta', { delta: {}, usage: { output_tokens: output } });
        default:
          return Buffer.alloc(0);
      }
    };
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'v',
      content: [],
      usage: { input_tokens: 3, output_tokens: 1 },
    };
    const frames = [
      { bytes: event('message_start', { message }), steps: [] },
      ...steps.map((step) => ({ bytes: bytesOf(step), steps: [step] })),
    ];
    return terminated ? [...frames, { bytes: event('message_stop', {}), steps: [] }] : frames;
  },
};

const gemini: Writer = {
  items: ['text', 'thought', 'call', 'image'],
  anywhere: true,
  contentType: 'text/event-stream',
  closing: 2,
  frames: (steps) =>
    steps.map((step) => {
      const say = (part: object): object => ({ candidates: [{ index: 0, content: { role: 'model', parts: [part] } }] });
      const dataOf = (): object => {
        switch (step.kind) {
          case 'text':
            return say({ text: step.text });
          case 'thought':
            return say({ text: step.text, thought: true });
          case 'call':
            return say({ functionCall: { id: step.id, name: step.name, args: JSON.parse(step.arguments) } });
          case 'image':
            return say({ inlineData: { mimeType: 'image/png', data: step.url.split(',')[1] } });
          case 'finish':
            return { candidates: [{ index: 0, finishReason: step.reason === 'stop' ? 'STOP' : 'MAX_TOKENS' }] };
          case 'counts':
            return { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: step.output, totalTokenCount: 3 + step.output } };
          default:
            return {};
        }
      };
      return { bytes: sse(dataOf()), steps: [step] };
    }),
};

const dashscope: Writer = {
  items: ['text', 'thought', 'call'],
  anywhere: true,
  contentType: 'text/event-stream',
  closing: 2,
  frames(steps) {
    let calls = 0;
    return steps.map((step) => {
      const say = (message: object, reason = 'null'): object => ({
        request_id: 'r',
        output: { choices: [{ message: { role: 'assistant', content: '', ...message }, finish_reason: reason }] },
      });
      const dataOf = (): object => {
        switch (step.kind) {
          case 'text':
            return say({ content: step.text });
          case 'thought':
            return say({ reasoning_content: step.text });
          case 'call':
            return say({
              tool_calls: [{ index: calls++, id: step.id, type: 'function', function: { name: step.name, arguments: step.arguments } }],
            });
          case 'finish':
            return say({}, step.reason);
          case 'counts':
            return { request_id: 'r', usage: { input_tokens: 3, output_tokens: step.output, total_tokens: 3 + step.output } };
          default:
            return say({});
        }
      };
      return { bytes: Buffer.from(`id:1\nevent:result\ndata:${JSON.stringify(dataOf())}\n\n`), steps: [step] };
    });
  },
};

/** The end that this format sends once: the steps after the content, as one frame. */
function lastSteps(steps: readonly Step[]): { content: readonly Step[]; finish: Step[]; output: number | undefined } {
  const content = steps.filter(({ kind }) => kind !== 'finish' && kind !== 'counts');
  const finish = steps.filter(({ kind }) => kind === 'finish');
  const last = steps.findLast((step) => step.kind === 'counts');
  return { content, finish, output: last?.kind === 'counts' ? last.output : undefined };
}

const ollama: Writer = {
  items: ['text', 'thought', 'call'],
  anywhere: false,
  contentType: 'application/x-ndjson',
  closing: 1,
  frames(steps) {
    const { content, finish, output } = lastSteps(steps);
    const line = (more: object): Buffer => Buffer.from(`${JSON.stringify({ model: 'v', done: false, ...more })}\n`);
    const frames = content.map((step) => {
      const message =
        step.kind === 'text'
          ? { content: step.text }
          : step.kind === 'thought'
            ? { content: '', thinking: step.text }
            : step.kind === 'call'
              ? { content: '', tool_calls: [{ id: step.id, function: { name: step.name, arguments: JSON.parse(step.arguments) } }] }
              : {};
      return { bytes: line({ message: { role: 'assistant', ...message } }), steps: [step] };
    });
    const [end] = finish;
    if (end?.kind !== 'finish') return frames;
    const used = output === undefined ? {} : { prompt_eval_count: 3, eval_count: output };
    return [...frames, { bytes: line({ done: true, done_reason: end.reason, ...used }), steps: steps.slice(content.length) }];
  },
};

const bedrock: Writer = {
  items: ['text', 'thought', 'call'],
  anywhere: false,
  contentType: 'application/vnd.amazon.eventstream',
  closing: 0,
  frames(steps) {
    const { content, finish, output } = lastSteps(steps);
    const frames: Frame[] = [
      { bytes: started, steps: [] },
      ...content.map((step, index) => ({ bytes: bedrockBlock(step, index), steps: [step] })),
    ];
    const [end] = finish;
    if (end?.kind !== 'finish') return frames;
    frames.push({ bytes: stopped(end.reason === 'stop' ? 'end_turn' : 'max_tokens'), steps: [end] });
    if (output === undefined) return frames;
    const used = { inputTokens: 3, outputTokens: output, totalTokens: 3 + output };
    return [...frames, { bytes: metadata(used), steps: [{ kind: 'counts', output }] }];
  },
};

function bedrockBlock(step: Step, index: number): Buffer {
  switch (step.kind) {
    case 'text':
      return Buffer.concat([...half(step.text).map((text) => delta(index, { text })), close(index)]);
    case 'thought':
      return Buffer.concat([delta(index, { reasoningContent: { text: step.text } }), close(index)]);
    case 'call':
      return Buffer.concat([
        bedrockEvent('contentBlockStart', { contentBlockIndex: index, start: { toolUse: { toolUseId: step.id, name: step.name } } }),
        ...half(step.arguments).map((input) => delta(index, { toolUse: { input } })),
        close(index),
      ]);
    default:
      return Buffer.alloc(0);
  }
}

export const writers: Readonly<Record<string, Writer>> = { openai, anthropic, gemini, dashscope, ollama, bedrock };
