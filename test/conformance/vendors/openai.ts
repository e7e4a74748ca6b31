/** OpenAI's format, also used by compatible vendors. */
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const usageOf = ({ usage }: Scene) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
  completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
});
const event = (data: object): string =>
  `data: ${JSON.stringify({ id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'theirs', ...data })}\n\n`;
const delta = (part: object, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta: part, finish_reason: finish }] });

function stream(scene: Scene, finish: string): string[] {
  return [
    delta({ role: 'assistant', content: '' }),
    ...(scene.reasoning === undefined ? [] : [delta({ reasoning_content: scene.reasoning })]),
    ...(scene.text ?? []).map((content) => delta({ content })),
    ...(scene.calls ?? []).flatMap((call, index) => {
      const text = JSON.stringify(call.arguments);
      const half = Math.ceil(text.length / 2);
      return [
        delta({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }),
        delta({ tool_calls: [{ index, function: { arguments: text.slice(0, half) } }] }),
        delta({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] }),
      ];
    }),
    delta({}, finish),
    event({ choices: [], usage: usageOf(scene) }),
    'data: [DONE]\n\n',
  ];
}

const errors = {
  authentication: [401, 'invalid_api_key'],
  limit: [429, 'rate_limit_exceeded'],
  context: [400, 'context_length_exceeded'],
  failure: [500, 'server_error'],
} as const;

export const openaiWords: VendorWriter = {
  streamType: 'text/event-stream',
  whole: (scene) =>
    JSON.stringify({
      id: 'c-1',
      object: 'chat.completion',
      created: 1,
      model: 'theirs',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: scene.text === undefined ? null : joined(scene),
            ...(scene.reasoning === undefined ? {} : { reasoning_content: scene.reasoning }),
            ...(scene.calls === undefined
              ? {}
              : {
                  tool_calls: scene.calls.map((call) => ({
                    id: call.id,
                    type: 'function',
                    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
                  })),
                }),
          },
          finish_reason: scene.finish,
        },
      ],
      usage: usageOf(scene),
    }),
  stream: (scene) => stream(scene, scene.finish),
  error(kind, message) {
    const [status, code] = errors[kind];
    return { status, body: JSON.stringify({ error: { message, type: code, param: null, code } }) };
  },
  errorFrame: () => 'data: {"error":{"message":"overloaded","type":"server_error","code":"overloaded_error"}}\n\n',
  oddFinish: (scene) => stream(scene, 'tired'),
};
