/** Gemini's format, of Google AI Studio and of Vertex. */
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const reasons = { stop: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY', tool_calls: 'STOP' } as const;

const usageOf = ({ usage }: Scene) => ({
  promptTokenCount: usage.input,
  candidatesTokenCount: usage.output - (usage.reasoning ?? 0),
  thoughtsTokenCount: usage.reasoning ?? 0,
  cachedContentTokenCount: usage.cached ?? 0,
  totalTokenCount: usage.input + usage.output,
});

const answer = (parts: readonly object[], more: object = {}, finish?: string): string =>
  JSON.stringify({
    candidates: [{ index: 0, content: { role: 'model', parts }, ...(finish === undefined ? {} : { finishReason: finish }) }],
    responseId: 'g-1',
    modelVersion: 'theirs',
    ...more,
  });

const thoughts = (scene: Scene): object[] => (scene.reasoning === undefined ? [] : [{ text: scene.reasoning, thought: true }]);
const calls = (scene: Scene): object[] => (scene.calls ?? []).map((call) => ({ functionCall: { name: call.name, args: call.arguments } }));

function stream(scene: Scene, finish: string): string[] {
  const parts = [...thoughts(scene), ...(scene.text ?? []).map((text) => ({ text })), ...calls(scene)];
  return [...parts.map((part) => answer([part])), answer([{ text: '' }], { usageMetadata: usageOf(scene) }, finish)].map(
    (data) => `data: ${data}\r\n\r\n`,
  );
}

const errors = {
  authentication: [401, 'UNAUTHENTICATED'],
  limit: [429, 'RESOURCE_EXHAUSTED'],
  context: [400, 'INVALID_ARGUMENT'],
  failure: [500, 'INTERNAL'],
} as const;

export const geminiWords: VendorWriter = {
  streamType: 'text/event-stream',
  whole: (scene) =>
    answer(
      [...thoughts(scene), ...(scene.text === undefined ? [] : [{ text: joined(scene) }]), ...calls(scene)],
      { usageMetadata: usageOf(scene) },
      reasons[scene.finish],
    ),
  stream: (scene) => stream(scene, reasons[scene.finish]),
  error(kind, message) {
    const [status, code] = errors[kind];
    const words = kind === 'context' ? 'The input token count (9) exceeds the maximum number of tokens allowed (8).' : message;
    return { status, body: JSON.stringify({ error: { code: status, message: words, status: code } }) };
  },
  errorFrame: () => 'data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}\r\n\r\n',
  oddFinish: (scene) => stream(scene, 'TIRED'),
};
