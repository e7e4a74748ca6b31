/** Ollama's native format: lines of JSON. It counts no cached or reasoning tokens. */
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const line = (message: object, more: object = { done: false }): string =>
  `${JSON.stringify({ model: 'theirs', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: '', ...message }, ...more })}\n`;
const end = ({ usage }: Scene, reason: string): object => ({
  done: true,
  done_reason: reason,
  prompt_eval_count: usage.input,
  eval_count: usage.output,
});
const calls = (scene: Scene): object =>
  scene.calls === undefined
    ? {}
    : { tool_calls: scene.calls.map((call) => ({ function: { name: call.name, arguments: call.arguments } })) };
const reasons = { stop: 'stop', length: 'length', content_filter: 'stop', tool_calls: 'stop' } as const;

function stream(scene: Scene, reason: string): string[] {
  return [
    ...(scene.reasoning === undefined ? [] : [line({ thinking: scene.reasoning })]),
    ...(scene.text ?? []).map((content) => line({ content })),
    ...(scene.calls === undefined ? [] : [line(calls(scene))]),
    line({}, end(scene, reason)),
  ];
}

const errors = { authentication: 401, limit: 429, context: 400, failure: 500 } as const;

export const ollamaWords: VendorWriter = {
  streamType: 'application/x-ndjson',
  whole: (scene) =>
    line(
      { content: joined(scene), ...(scene.reasoning === undefined ? {} : { thinking: scene.reasoning }), ...calls(scene) },
      end(scene, reasons[scene.finish]),
    ),
  stream: (scene) => stream(scene, reasons[scene.finish]),
  error: (kind, message) => ({
    status: errors[kind],
    body: JSON.stringify({ error: kind === 'context' ? 'the input length exceeds the context length' : message }),
  }),
  errorFrame: () => '{"error":"overloaded"}\n',
  oddFinish: (scene) => stream(scene, 'tired'),
};
