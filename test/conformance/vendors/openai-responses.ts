/** OpenAI's Responses as a vendor writes it. */
import { joined, type Scene, type VendorWriter } from '../scene.ts';

const usageOf = ({ usage }: Scene) => ({
  input_tokens: usage.input,
  input_tokens_details: { cached_tokens: usage.cached ?? 0 },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
  total_tokens: usage.input + usage.output,
});

function itemsOf(scene: Scene): object[] {
  return [
    ...(scene.reasoning === undefined
      ? []
      : [{ id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: scene.reasoning }], encrypted_content: 'sealed' }]),
    ...(scene.text === undefined
      ? []
      : [
          {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text: joined(scene), annotations: [] }],
          },
        ]),
    ...(scene.calls ?? []).map((call, index) => ({
      id: `fc_${index}`,
      type: 'function_call',
      status: 'completed',
      call_id: call.id,
      name: call.name,
      arguments: JSON.stringify(call.arguments),
    })),
  ];
}

const cuts: Readonly<Record<string, string>> = { length: 'max_output_tokens', content_filter: 'content_filter' };

function responseOf(scene: Scene, status: string, reason: string | undefined = cuts[scene.finish]): object {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'theirs',
    status,
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    output: itemsOf(scene),
    usage: usageOf(scene),
  };
}

const statusOf = ({ finish }: Scene): string => (finish in cuts ? 'incomplete' : 'completed');
const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

function stream(scene: Scene, end: object, status: string): string[] {
  const frames = [event('response.created', { response: { id: 'resp_1', model: 'theirs', status: 'in_progress', output: [] } })];
  itemsOf(scene).forEach((item, index) => {
    const { type } = item as { type: string };
    const place = { output_index: index };
    if (type === 'reasoning') {
      frames.push(event('response.output_item.added', { ...place, item: { id: 'rs_1', type, summary: [] } }));
      frames.push(event('response.reasoning_summary_text.delta', { ...place, summary_index: 0, delta: scene.reasoning }));
    } else if (type === 'message') {
      frames.push(event('response.output_item.added', { ...place, item: { id: 'msg_1', type, role: 'assistant', content: [] } }));
      for (const delta of scene.text ?? [])
        frames.push(event('response.output_text.delta', { ...place, content_index: 0, delta, logprobs: [] }));
    } else {
      const { arguments: text } = item as { arguments: string };
      const half = Math.ceil(text.length / 2);
      frames.push(event('response.output_item.added', { ...place, item: { ...item, status: 'in_progress', arguments: '' } }));
      for (const delta of [text.slice(0, half), text.slice(half)])
        frames.push(event('response.function_call_arguments.delta', { ...place, delta }));
      frames.push(event('response.function_call_arguments.done', { ...place, arguments: text }));
    }
    frames.push(event('response.output_item.done', { ...place, item }));
  });
  frames.push(event(`response.${status}`, { response: end }));
  return frames;
}

const errors = {
  authentication: [401, 'invalid_api_key'],
  limit: [429, 'rate_limit_exceeded'],
  context: [400, 'context_length_exceeded'],
  failure: [500, 'server_error'],
} as const;

export const responsesWords: VendorWriter = {
  streamType: 'text/event-stream',
  whole: (scene) => JSON.stringify(responseOf(scene, statusOf(scene))),
  stream: (scene) => stream(scene, responseOf(scene, statusOf(scene)), statusOf(scene)),
  error(kind, message) {
    const [status, code] = errors[kind];
    return { status, body: JSON.stringify({ error: { message, type: code, param: null, code } }) };
  },
  errorFrame: () => event('error', { code: 'server_error', message: 'overloaded', param: null, sequence_number: 3 }),
  oddFinish: (scene) => stream(scene, responseOf(scene, 'tired'), 'completed'),
};
