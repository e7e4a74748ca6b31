/** The measured scenarios: the calls, as bytes, and the budget of each. */
import type { Call } from './load.ts';

/** Tokens of one measured stream. There are many, so that the fixed cost of a call is negligible. */
export const streamTokens = 200;

export interface Scenario {
  readonly name: string;
  readonly call: Call;
  /** The call of Pailou, where it is in another client format than that of the bare proxy. */
  readonly face?: Call;
  readonly callers: number;
  /** Number of measured units in one call. */
  readonly unitsPerCall: number;
  readonly unit: 'call' | 'chunk';
  /** Highest ratio to the bare proxy that DESIGN 13 allows. */
  readonly budget: number;
}

const question = 'Explain in two sentences why the sky is blue, and in one why sunsets are red.';
const ascii = 'The quick brown fox jumps over the lazy dog; "quoted", and a line\nbreak. ';
const chinese = '敏捷的棕色狐狸跳过了懒狗，然后在牌楼下面休息了一会儿。';

function body(model: string, content: string, stream: boolean): Buffer {
  const messages = [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content },
  ];
  return Buffer.from(JSON.stringify({ model, ...(stream ? { stream: true } : {}), messages, temperature: 0.2 }));
}

const repeated = (text: string, bytes: number): string => text.repeat(Math.ceil(bytes / Buffer.byteLength(text)));

/** Models by the provider that serves them. */
export const models = {
  bench: ['bench-chat', `bench-stream-${streamTokens}`, 'bench-stream-20', 'bench-hold', 'bench-pace', 'bench-loop'],
  claude: [`bench-claude-${streamTokens}`],
} as const;
export const holdBody = body('bench-hold', question, true);
export const paceBody = body('bench-pace', question, true);

export const chat: Scenario = {
  name: 'chat, not streamed',
  call: { body: body('bench-chat', question, false), streamed: false },
  callers: 32,
  unitsPerCall: 1,
  unit: 'call',
  budget: 1.8,
};

export const chatOf = (model: string): Call => ({ body: body(model, question, false), streamed: false });
export const shortStream: Call = { body: body('bench-stream-20', question, true), streamed: true };

/** The model calls a tool of the MCP server `tools` once. */
export const loopCall: Call = {
  body: Buffer.from(
    JSON.stringify({
      model: 'bench-loop',
      messages: [{ role: 'user', content: question }],
      tools: [{ type: 'mcp', server_label: 'tools', allowed_tools: ['tool_1'], require_approval: 'never' }],
    }),
  ),
  streamed: false,
};

/** The same question as a request of `/v1/messages` or `/v1/responses`. */
function faceCall(face: 'messages' | 'responses', model: string, stream: boolean): Call {
  const asked =
    face === 'messages'
      ? { max_tokens: 1_000, messages: [{ role: 'user', content: question }] }
      : { input: [{ role: 'user', content: question }], store: false };
  return {
    path: `/v1/${face}`,
    body: Buffer.from(JSON.stringify({ model, ...(stream ? { stream: true } : {}), ...asked })),
    streamed: stream,
  };
}

/** Both other client formats, whole and streamed, beside a chat of the bare proxy. */
const faces = (['messages', 'responses'] as const).flatMap((face): readonly Scenario[] => [
  { ...chat, name: `${face}, not streamed`, face: faceCall(face, 'bench-chat', false), budget: 2 },
  {
    name: `${face}, streamed chunk`,
    call: { body: body(`bench-stream-${streamTokens}`, question, true), streamed: true },
    face: faceCall(face, `bench-stream-${streamTokens}`, true),
    callers: 40,
    unitsPerCall: streamTokens,
    unit: 'chunk',
    budget: 1.5,
  },
]);

export const scenarios: readonly Scenario[] = [
  chat,
  {
    name: 'chat, 200 kB ASCII request',
    call: { body: body('bench-chat', repeated(ascii, 200_000), false), streamed: false },
    callers: 16,
    unitsPerCall: 1,
    unit: 'call',
    budget: 2,
  },
  {
    name: 'chat, 200 kB Chinese request',
    call: { body: body('bench-chat', repeated(chinese, 200_000), false), streamed: false },
    callers: 16,
    unitsPerCall: 1,
    unit: 'call',
    budget: 2,
  },
  {
    name: 'streamed chunk, same format',
    call: { body: body(`bench-stream-${streamTokens}`, question, true), streamed: true },
    callers: 40,
    unitsPerCall: streamTokens,
    unit: 'chunk',
    budget: 1.3,
  },
  {
    name: 'streamed chunk, converted',
    call: { body: body(`bench-claude-${streamTokens}`, question, true), streamed: true },
    callers: 40,
    unitsPerCall: streamTokens,
    unit: 'chunk',
    budget: 1.5,
  },
  ...faces,
];
