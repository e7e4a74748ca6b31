/**
 * Random conversations in every client format, mixing tools that wait, tools that run and functions of the caller. The vendor never
 * gets a call without a result, and no result is lost within a turn.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { answerOk, completion, startVendor, type Vendor } from './vendor.ts';

// oxlint-disable-next-line no-explicit-any -- answers of three formats
type Item = Record<string, any>;

/** The requests and answers of one client format. */
interface ClientFormat {
  readonly path: string;
  readonly headers?: Record<string, string>;
  body(history: readonly Item[], decisions: ReadonlyMap<string, boolean>, last: string | undefined): Item;
  words(text: string): Item;
  results(calls: readonly Item[]): Item[];
  /** The part of an answer that the client appends to its history, and its own calls in it. */
  read(answer: Item): { readonly said: Item[]; readonly own: readonly Item[]; readonly asks: readonly string[] };
}

const server = {
  type: 'mcp',
  server_label: 'demo',
  allowed_tools: ['calculate', 'current_time'],
  require_approval: { always: { tool_names: ['calculate'] } },
};
const parameters = { type: 'object' };
const asksOf = (answer: Item): string[] =>
  (answer['pailou']?.steps ?? []).filter(({ status }: Item) => status === 'approval_required').map(({ id }: Item) => id);
const approvals = (decisions: ReadonlyMap<string, boolean>): Item =>
  decisions.size === 0 ? {} : { gateway: { approvals: [...decisions].map(([id, approve]) => ({ id, approve })) } };

const chat: ClientFormat = {
  path: '/v1/chat/completions',
  body: (messages, decisions) => ({
    model: 'm',
    messages,
    tools: [server, { type: 'function', function: { name: 'mine', parameters } }],
    ...approvals(decisions),
  }),
  words: (content) => ({ role: 'user', content }),
  results: (calls) => calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'mine' })),
  read(answer) {
    const { content, tool_calls: own } = answer['choices'][0].message;
    return {
      said: [{ role: 'assistant', content, ...(own === undefined ? {} : { tool_calls: own }) }],
      own: own ?? [],
      asks: asksOf(answer),
    };
  },
};
const messages: ClientFormat = {
  path: '/v1/messages',
  body: (history, decisions) => ({
    model: 'm',
    max_tokens: 100,
    messages: history,
    tools: [server, { name: 'mine', input_schema: parameters }],
    ...approvals(decisions),
  }),
  words: (content) => ({ role: 'user', content }),
  results: (calls) =>
    calls.length === 0
      ? []
      : [{ role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'mine' })) }],
  read(answer) {
    const content: Item[] = answer['content'];
    return {
      said: content.length === 0 ? [] : [{ role: 'assistant', content }],
      own: content.filter(({ type }) => type === 'tool_use'),
      asks: asksOf(answer),
    };
  },
};
const responseTools = [server, { type: 'function', name: 'mine', parameters }];
const decided = (decisions: ReadonlyMap<string, boolean>): Item[] =>
  [...decisions].map(([id, approve]) => ({ type: 'mcp_approval_response', approval_request_id: id, approve }));
const responses: ClientFormat = {
  path: '/v1/responses',
  body: (history, decisions) => ({ model: 'm', input: [...history, ...decided(decisions)], tools: responseTools }),
  words: (content) => ({ role: 'user', content }),
  results: (calls) => calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'mine' })),
  read(answer) {
    const output: Item[] = answer['output'];
    const ofType = (wanted: string): Item[] => output.filter(({ type }) => type === wanted);
    return { said: output, own: ofType('function_call'), asks: ofType('mcp_approval_request').map(({ id }) => id as string) };
  },
};
const formats: Readonly<Record<string, ClientFormat>> = {
  chat,
  messages,
  'messages with blocks of calls': { ...messages, headers: { 'anthropic-beta': 'mcp-client-2025-04-04' } },
  responses,
  'responses by id': {
    ...responses,
    body: (history, decisions, last) => {
      const since = history.slice(history.findLastIndex(({ id }) => id !== undefined) + 1);
      return {
        model: 'm',
        input: [...since, ...decided(decisions)],
        tools: responseTools,
        ...(last === undefined ? {} : { previous_response_id: last }),
      };
    },
  },
};

/** The fault that every vendor refuses; null for a valid conversation. */
function faultOf(conversation: readonly Item[]): string | null {
  let open: string[] = [];
  for (const { role, tool_call_id: id, tool_calls: calls } of conversation) {
    if (role === 'tool' && !open.includes(id)) return `the result of no call: ${id}`;
    if (role !== 'tool' && open.length > 0) return `no result: ${open.join()}`;
    open = role === 'tool' ? open.filter((each) => each !== id) : (calls ?? []).map((call: Item) => call['id']);
    if (new Set(open).size < open.length || open.some((each) => each.length > 40)) return `ids: ${open.join()}`;
  }
  return open.length > 0 ? `no result at the end: ${open.join()}` : null;
}

let gateway: TestGateway;
let vendor: Vendor;
/** The seed of the random numbers. */
let seed = 0;
const chance = (): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
/** Results that the model has read in this turn. */
let read = new Set<string>();
let faults: string[] = [];
let count = 0;

const called = (kind: string, index: number): Item => {
  const [name, given] =
    kind === 'p' ? ['demo__calculate', `{"expression":"${++count}+0"}`] : kind === 'l' ? ['demo__current_time', '{}'] : ['mine', '{}'];
  return { id: `c${index}`, type: 'function', function: { name, arguments: given } };
};

beforeAll(async () => {
  [gateway, vendor] = await Promise.all([startGateway({}), startVendor()]);
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'v',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'v', model: 'm' }] } });
  vendor.behave((request, response) => {
    const conversation: Item[] = request.body.messages;
    const fault = faultOf(conversation);
    if (fault !== null) faults.push(fault);
    const results = new Set(conversation.map(({ role, content }) => (role === 'tool' && / = /.test(content) ? content : '')));
    for (const each of read) if (!results.has(each)) faults.push(`lost: ${each}`);
    for (const each of results) if (each !== '') read.add(each);
    const shapes = ['', '', 'p', 'pp', 'l', 'm', 'mp', 'pm', 'mmp', 'lp', 'lm', 'lpm'];
    const shape = request.body.tool_choice === 'none' ? '' : (shapes[Math.floor(chance() * shapes.length)] ?? '');
    if (shape === '') return answerOk(request, response, 'That is all.');
    const words = chance() < 0.5 ? 'Let me see.' : null;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(completion(words, { tool_calls: Array.from(shape, called) }, 'tool_calls'));
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

async function talk(format: ClientFormat): Promise<string | null> {
  const history: Item[] = [format.words('go')];
  let decisions: ReadonlyMap<string, boolean> = new Map();
  let last: string | undefined;
  for (let turn = 0; turn < 6; turn++) {
    const { status, json, text } = await gateway.as(
      'developer',
      'POST',
      format.path,
      format.body(history, decisions, last),
      format.headers ?? {},
    );
    if (status !== 200) return text;
    last = json.id;
    history.push(...(format.path === '/v1/responses' ? decided(decisions) : []));
    const { said, own, asks } = format.read(json);
    history.push(...said, ...format.results(own));
    decisions = chance() < 0.95 ? new Map(asks.map((id) => [id, chance() < 0.6])) : new Map();
    if (own.length === 0 && (decisions.size === 0 || chance() < 0.2)) {
      history.push(format.words('and more'));
      // By design, server rounds of a finished answer are not kept.
      read = new Set();
    }
  }
  return faults[0] ?? null;
}

it.each(Object.keys(formats))('%s', async (name) => {
  for (let round = 1; round <= 30; round++) {
    seed = round * 7919;
    [read, faults] = [new Set(), []];
    expect(await talk(formats[name] as ClientFormat), `seed ${round}`).toBeNull();
  }
  expect(count).toBeGreaterThan(20);
});
