/** DashScope's native format. */
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const usageOf = ({ usage }: Scene) => ({
  input_tokens: usage.input,
  output_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  input_tokens_details: { cached_tokens: usage.cached ?? 0 },
  prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
  output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
});

const answer = (scene: Scene, message: object, finish: string): string =>
  JSON.stringify({
    output: { choices: [{ finish_reason: finish, message: { role: 'assistant', content: '', ...message } }] },
    usage: usageOf(scene),
    request_id: 'd-1',
  });

const calls = (scene: Scene): object =>
  scene.calls === undefined
    ? {}
    : {
        tool_calls: scene.calls.map((call, index) => ({
          index,
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: JSON.stringify(call.arguments) },
        })),
      };

function stream(scene: Scene, finish: string): string[] {
  const messages = [
    ...(scene.reasoning === undefined ? [] : [{ reasoning_content: scene.reasoning }]),
    ...(scene.text ?? []).map((content) => ({ content })),
    ...(scene.calls === undefined ? [] : [calls(scene)]),
  ];
  return [...messages.map((message) => answer(scene, message, 'null')), answer(scene, {}, finish)].map(
    (data, index) => `id:${index + 1}\nevent:result\n:HTTP_STATUS/200\ndata:${data}\n\n`,
  );
}

const errors = {
  authentication: [401, 'InvalidApiKey'],
  limit: [429, 'Throttling.RateQuota'],
  context: [400, 'InvalidParameter'],
  failure: [500, 'InternalError'],
} as const;

export const dashscopeWords: VendorWriter = {
  streamType: 'text/event-stream',
  whole: (scene) =>
    answer(
      scene,
      { content: joined(scene), ...(scene.reasoning === undefined ? {} : { reasoning_content: scene.reasoning }), ...calls(scene) },
      scene.finish,
    ),
  stream: (scene) => stream(scene, scene.finish),
  error(kind, message) {
    const [status, code] = errors[kind];
    const words = kind === 'context' ? 'Range of input length should be [1, 8]' : message;
    return { status, body: JSON.stringify({ code, message: words, request_id: 'd-1' }) };
  },
  errorFrame: () => 'id:9\nevent:error\n:HTTP_STATUS/503\ndata:{"code":"InternalError.Algo","message":"overloaded","request_id":"d-1"}\n\n',
  oddFinish: (scene) => stream(scene, 'tired'),
};
