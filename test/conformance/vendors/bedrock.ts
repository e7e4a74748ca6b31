/** Bedrock's Converse: JSON whole, binary frames streamed. */
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text),
);
const reasons = { stop: 'end_turn', length: 'max_tokens', content_filter: 'content_filtered', tool_calls: 'tool_use' } as const;

function frame(kind: 'event' | 'exception', type: string, body: object): Buffer {
  const text = (value: string) => ({ type: 'string', value }) as const;
  return Buffer.from(
    codec.encode({
      headers: {
        ':message-type': text(kind),
        [kind === 'event' ? ':event-type' : ':exception-type']: text(type),
        ':content-type': text('application/json'),
      },
      body: Buffer.from(JSON.stringify(body)),
    }),
  );
}
const event = (type: string, body: object): Buffer => frame('event', type, body);

const usageOf = ({ usage }: Scene) => ({
  inputTokens: usage.input - (usage.cached ?? 0),
  cacheReadInputTokens: usage.cached ?? 0,
  outputTokens: usage.output,
  totalTokens: usage.input + usage.output,
});

const start = (contentBlockIndex: number, more: object): Buffer => event('contentBlockStart', { contentBlockIndex, start: more });
const delta = (contentBlockIndex: number, more: object): Buffer => event('contentBlockDelta', { contentBlockIndex, delta: more });
const stop = (contentBlockIndex: number): Buffer => event('contentBlockStop', { contentBlockIndex });

function stream(scene: Scene, reason: string): Buffer[] {
  const frames = [event('messageStart', { role: 'assistant' })];
  let index = 0;
  if (scene.reasoning !== undefined) {
    frames.push(
      delta(index, { reasoningContent: { text: scene.reasoning } }),
      delta(index, { reasoningContent: { signature: 'c2ln' } }),
      stop(index),
    );
    index++;
  }
  if (scene.text !== undefined) {
    frames.push(...scene.text.map((text) => delta(index, { text })), stop(index));
    index++;
  }
  for (const call of scene.calls ?? []) {
    const text = JSON.stringify(call.arguments);
    frames.push(start(index, { toolUse: { toolUseId: call.id, name: call.name } }));
    if (text !== '{}')
      frames.push(delta(index, { toolUse: { input: text.slice(0, 5) } }), delta(index, { toolUse: { input: text.slice(5) } }));
    frames.push(stop(index));
    index++;
  }
  return [...frames, event('messageStop', { stopReason: reason }), event('metadata', { usage: usageOf(scene), metrics: { latencyMs: 1 } })];
}

const errors = {
  authentication: [403, 'AccessDeniedException'],
  limit: [429, 'ThrottlingException'],
  context: [400, 'ValidationException'],
  failure: [500, 'InternalServerException'],
} as const;

export const bedrockWords: VendorWriter = {
  streamType: 'application/vnd.amazon.eventstream',
  whole: (scene) =>
    JSON.stringify({
      output: {
        message: {
          role: 'assistant',
          content: [
            ...(scene.reasoning === undefined
              ? []
              : [{ reasoningContent: { reasoningText: { text: scene.reasoning, signature: 'c2ln' } } }]),
            ...(scene.text === undefined ? [] : [{ text: joined(scene) }]),
            ...(scene.calls ?? []).map((call) => ({ toolUse: { toolUseId: call.id, name: call.name, input: call.arguments } })),
          ],
        },
      },
      stopReason: reasons[scene.finish],
      usage: usageOf(scene),
      metrics: { latencyMs: 1 },
    }),
  stream: (scene) => stream(scene, reasons[scene.finish]),
  error(kind, message) {
    const [status, type] = errors[kind];
    return {
      status,
      body: JSON.stringify({ __type: type, message: kind === 'context' ? 'Input is too long for requested model.' : message }),
    };
  },
  errorFrame: () => frame('exception', 'modelStreamErrorException', { message: 'overloaded' }),
  oddFinish: (scene) => stream(scene, 'tired'),
};
