/** A scripted model that calls tools, and refuses invalid conversations as vendors do. */
import { answerOk, type VendorRequest } from './vendor.ts';

export interface ModelCall {
  readonly id: string;
  readonly type: string;
  readonly function: { readonly name: string; readonly arguments: string };
}
/** The model's act by the number of tool results; by default it repeats all results. */
export type Script = Readonly<Record<number, readonly ModelCall[] | { readonly says: string; readonly calls: readonly ModelCall[] }>>;

interface Message {
  readonly role: string;
  readonly content: string | null;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly ModelCall[];
}

export const called = (id: string, name: string, input: object): ModelCall => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input) },
});
export const calculate = (id: string, expression: string): ModelCall => called(id, 'demo__calculate', { expression });

/** Each call has one result after it, each result has its call, and no id exceeds OpenAI's limit. */
function faultOf(messages: readonly Message[]): string | null {
  let open: string[] = [];
  for (const { role, tool_call_id: id = '', tool_calls: calls } of messages) {
    if (role === 'tool') {
      if (!open.includes(id)) return `a result of no call: ${id}`;
      open = open.filter((each) => each !== id);
    } else if (open.length > 0) return `calls without result: ${open.join()}`;
    else open = (calls ?? []).map((call) => call.id);
    if (open.some((each) => each.length > 40)) return 'an id of more than 40 characters';
  }
  return open.length > 0 ? `calls without result: ${open.join()}` : null;
}

/** A vendor behaviour for the script. */
export function playing(script: () => Script) {
  return (request: VendorRequest, response: Parameters<typeof answerOk>[1]): void => {
    const messages = request.body.messages as readonly Message[];
    const fault = faultOf(messages);
    if (fault !== null) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: fault } }));
      return;
    }
    const results = messages.filter(({ role }) => role === 'tool');
    const planned = script()[results.length];
    if (planned === undefined) return answerOk(request, response, `All: ${results.map(({ content }) => content).join(', ')}`);
    const { says, calls } = 'calls' in planned ? planned : { says: null, calls: planned };
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
    const base = { id: 'v', created: 1, model: 'upstream' };
    if (request.body.stream !== true) {
      const choices = [{ index: 0, message: { role: 'assistant', content: says, tool_calls: calls }, finish_reason: 'tool_calls' }];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...base, object: 'chat.completion', choices, usage }));
      return;
    }
    const chunk = (delta: object, reason: string | null) => ({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: reason }],
    });
    const parts = [
      chunk({ role: 'assistant', content: says, tool_calls: calls.map((call, index) => ({ index, ...call })) }, null),
      chunk({}, 'tool_calls'),
      { ...base, object: 'chat.completion.chunk', choices: [], usage },
    ];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`${parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join('')}data: [DONE]\n\n`);
  };
}
