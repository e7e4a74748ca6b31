/** Anthropic's Messages. */
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const reasons = { stop: 'end_turn', length: 'max_tokens', content_filter: 'refusal', tool_calls: 'tool_use' } as const;

const usageOf = ({ usage }: Scene) => ({
  input_tokens: usage.input - (usage.cached ?? 0),
  cache_read_input_tokens: usage.cached ?? 0,
  cache_creation_input_tokens: 0,
  output_tokens: usage.output,
});
const event = (type: string, data: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

function blocks(scene: Scene): { readonly start: object; readonly deltas: readonly object[]; readonly whole: object }[] {
  return [
    ...(scene.reasoning === undefined
      ? []
      : [
          {
            start: { type: 'thinking', thinking: '', signature: '' },
            deltas: [
              { type: 'thinking_delta', thinking: scene.reasoning },
              { type: 'signature_delta', signature: 'c2ln' },
            ],
            whole: { type: 'thinking', thinking: scene.reasoning, signature: 'c2ln' },
          },
        ]),
    ...(scene.text === undefined
      ? []
      : [
          {
            start: { type: 'text', text: '' },
            deltas: scene.text.map((text) => ({ type: 'text_delta', text })),
            whole: { type: 'text', text: joined(scene) },
          },
        ]),
    ...(scene.calls ?? []).map((call) => {
      const text = JSON.stringify(call.arguments);
      const use = { type: 'tool_use', id: call.id, name: call.name };
      return {
        start: { ...use, input: {} },
        // No arguments: no delta at all.
        deltas: text === '{}' ? [] : [text.slice(0, 5), text.slice(5)].map((partial_json) => ({ type: 'input_json_delta', partial_json })),
        whole: { ...use, input: call.arguments },
      };
    }),
  ];
}

const message = (scene: Scene, more: object) => ({
  id: 'msg-1',
  type: 'message',
  role: 'assistant',
  model: 'theirs',
  stop_sequence: null,
  ...more,
});

function stream(scene: Scene, reason: string): string[] {
  return [
    event('message_start', { message: message(scene, { content: [], stop_reason: null, usage: { ...usageOf(scene), output_tokens: 1 } }) }),
    event('ping'),
    ...blocks(scene).flatMap(({ start, deltas }, index) => [
      event('content_block_start', { index, content_block: start }),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: scene.usage.output } }),
    event('message_stop'),
  ];
}

const errors = {
  authentication: [401, 'authentication_error'],
  limit: [429, 'rate_limit_error'],
  context: [400, 'invalid_request_error'],
  failure: [500, 'api_error'],
} as const;

export const anthropicWords: VendorWriter = {
  streamType: 'text/event-stream',
  whole: (scene) =>
    JSON.stringify(
      message(scene, { content: blocks(scene).map(({ whole }) => whole), stop_reason: reasons[scene.finish], usage: usageOf(scene) }),
    ),
  stream: (scene) => stream(scene, reasons[scene.finish]),
  error(kind, text) {
    const [status, type] = errors[kind];
    const words = kind === 'context' ? 'prompt is too long: 9 tokens > 8 maximum' : text;
    return { status, body: JSON.stringify({ type: 'error', error: { type, message: words }, request_id: 'req-1' }) };
  },
  errorFrame: () => event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
  oddFinish: (scene) => stream(scene, 'tired'),
};
