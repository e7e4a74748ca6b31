/** The tool loop against a scripted model. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { ToolLoopOptions } from '../../../src/extensions/tool-loop/loop-options.ts';
import { runToolLoop } from '../../../src/extensions/tool-loop/loop.ts';
import type { ServerTool } from '../../../src/extensions/tool-loop/tool-requests.ts';
import type { ChatBody, ChatEvent, ChatEvents, Usage } from '../../../src/types/chat.ts';
import type { Decision } from '../../../src/types/approval-decision.ts';
import type { JsonObject } from '../../../src/types/json.ts';
import type { ToolResult } from '../../../src/types/tool-source.ts';
import type { ToolLoopStates } from '../../../src/types/tool-loop-state.ts';
import { openStates, principal } from '../mcp/services.ts';

interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments?: string;
}
export interface Answer {
  readonly text?: string;
  readonly calls?: readonly Call[];
  readonly usage?: Usage | null;
}

/** Shared by all runs of a file, as by the requests of a caller. */
let states: ToolLoopStates & AsyncDisposable;
/** Each file calls this, because hooks of a shared module run only for the first file. */
export function useStates(): void {
  beforeAll(async () => void (states = await openStates()));
  afterAll(() => states[Symbol.asyncDispose]());
}
export const theStates = (): ToolLoopStates => states;

export const usage: Usage = { inputTokens: 10, outputTokens: 3 };
export const tool = (name: string, requiresApproval = false): ServerTool => ({
  capability: `mcp/demo/${name}`,
  name: `demo__${name}`,
  description: `does ${name}`,
  inputSchema: { type: 'object' },
  requiresApproval,
});
export const text = (words: string): ToolResult => ({ content: [{ type: 'text', text: words }] });
export const clientFunction = { type: 'function', function: { name: 'mine', parameters: {} } };

async function* answerEvents(answer: Answer): ChatEvents {
  yield [{ type: 'response-start', id: 'v' }];
  if (answer.text !== undefined) yield [{ type: 'text-delta', choice: 0, text: answer.text }];
  for (const [call, { id, name, arguments: given = '{}' }] of (answer.calls ?? []).entries()) {
    yield [{ type: 'tool-call-start', choice: 0, call, id, name }];
    for (const piece of given.match(/.{1,4}/g) ?? []) yield [{ type: 'tool-call-delta', choice: 0, call, arguments: piece }];
  }
  yield [
    { type: 'finish', choice: 0, reason: (answer.calls ?? []).length > 0 ? 'tool_calls' : 'stop' },
    { type: 'response-end', usage: answer.usage === undefined ? usage : answer.usage },
  ];
}

/** Runs `script`, one answer per model call; the last one repeats. */
export async function play(script: readonly (Answer | Error)[], options: Partial<ToolLoopOptions> & { body?: Partial<ChatBody> } = {}) {
  const bodies: ChatBody[] = [];
  const inputs: JsonObject[] = [];
  const body = { model: 'm', messages: [{ role: 'user', content: 'go' }], ...options.body };
  const events = await runToolLoop({
    owner: principal,
    states,
    run: randomUUID(),
    tools: [tool('add'), tool('look')],
    decisions: [],
    signal: new AbortController().signal,
    callTool: (_tool, input) => {
      inputs.push(input);
      return Promise.resolve(text('done'));
    },
    callModel: (request) => {
      const answer = script[Math.min(bodies.length, script.length - 1)] as Answer | Error;
      bodies.push(structuredClone<ChatBody>(request.body));
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ events: answerEvents(answer) });
    },
    ...options,
    request: { body },
  });
  const seen: ChatEvent[] = [];
  for await (const batch of events) seen.push(...batch);
  return { seen, bodies, inputs };
}

export const ofType = <T extends ChatEvent['type']>(seen: readonly ChatEvent[], type: T) =>
  seen.filter((event): event is Extract<ChatEvent, { type: T }> => event.type === type);
export const decided = (ids: readonly (string | undefined)[], approve = true): Decision[] =>
  ids.map((id = '', index) => ({ id, approve, place: `gateway.approvals[${index}].id` }));
export const lastMessages = (bodies: readonly ChatBody[]): readonly JsonObject[] => bodies.at(-1)?.messages ?? [];
