/** The turns of a chat, the request for the next turn, and the reading of its stream. */
import { send } from '../../api/client.ts';
import { readEventStream } from '../../api/event-stream.ts';

export type StepStatus = 'started' | 'completed' | 'failed' | 'denied' | 'approval_required';

/** One call of a tool that the gateway executes. */
export interface Step {
  readonly id: string;
  readonly capability: string;
  readonly status: StepStatus;
  readonly input?: unknown;
  readonly duration_ms?: number;
  readonly error?: unknown;
}

export interface Picture {
  readonly name: string;
  /** A data address. */
  readonly url: string;
}

export interface UserTurn {
  readonly role: 'user';
  readonly text: string;
  readonly pictures: readonly Picture[];
}

export interface ModelTurn {
  readonly role: 'assistant';
  readonly text: string;
  readonly thinking: string;
  readonly steps: readonly Step[];
  readonly traceId: string | null;
  readonly deployment: string | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly finish: string | null;
  readonly error: Error | null;
}

export type Turn = UserTurn | ModelTurn;

export interface ChatSettings {
  readonly system: string;
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  /** MCP servers and skills, as `mcp/<server>` and `skill/<name>`. */
  readonly tools: readonly string[];
  readonly askFirst: boolean;
}

export interface Approval {
  readonly id: string;
  readonly approve: boolean;
}

export const emptyTurn: ModelTurn = {
  role: 'assistant',
  text: '',
  thinking: '',
  steps: [],
  traceId: null,
  deployment: null,
  firstTokenMs: null,
  totalMs: null,
  usage: null,
  finish: null,
  error: null,
};

function messageOf(turn: Turn): object {
  if (turn.role === 'assistant') return { role: 'assistant', content: turn.text };
  if (turn.pictures.length === 0) return { role: 'user', content: turn.text };
  const pictures = turn.pictures.map(({ url }) => ({ type: 'image_url', image_url: { url } }));
  return { role: 'user', content: [{ type: 'text', text: turn.text }, ...pictures] };
}

function toolOf(capability: string, askFirst: boolean): object {
  const name = capability.slice(capability.indexOf('/') + 1);
  const approval = askFirst ? { require_approval: 'always' } : {};
  return capability.startsWith('mcp/') ? { type: 'mcp', server_label: name, ...approval } : { type: 'skill', name, ...approval };
}

/** The body that any OpenAI client would send. */
export function requestOf(model: string, turns: readonly Turn[], settings: ChatSettings, approvals: readonly Approval[] = []): object {
  const { system, temperature, maxTokens, tools, askFirst } = settings;
  // A turn that ended in an error or waits for a decision has no answer to send.
  const said = turns.filter((turn) => turn.role === 'user' || (turn.text !== '' && turn.error === null));
  return {
    model,
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...said.map(messageOf)],
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === null ? {} : { temperature }),
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...(tools.length === 0 ? {} : { tools: tools.map((each) => toolOf(each, askFirst)) }),
    ...(approvals.length === 0 ? {} : { gateway: { approvals } }),
  };
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null; readonly reasoning_content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: ModelTurn['usage'];
  readonly pailou?: { readonly step?: Step };
}

/** A later event of a step replaces the earlier one. */
function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const known = steps.findIndex(({ id }) => id === step.id);
  return known === -1 ? [...steps, step] : steps.with(known, { ...steps[known], ...step });
}

function applied(turn: ModelTurn, { choices, usage, pailou }: Chunk, elapsed: number): ModelTurn {
  const [choice] = choices ?? [];
  const content = choice?.delta?.content ?? '';
  const thinking = choice?.delta?.reasoning_content ?? '';
  return {
    ...turn,
    text: turn.text + content,
    thinking: turn.thinking + thinking,
    firstTokenMs: turn.firstTokenMs ?? (content !== '' || thinking !== '' ? elapsed : null),
    finish: choice?.finish_reason ?? turn.finish,
    usage: usage ?? turn.usage,
    steps: pailou?.step === undefined ? turn.steps : withStep(turn.steps, pailou.step),
  };
}

/** Sends the request and reports the answer as it grows. Never throws: a failure is part of the turn. */
export async function streamTurn(
  body: object,
  { start, signal, onTurn }: { start: ModelTurn; signal: AbortSignal; onTurn: (turn: ModelTurn) => void },
): Promise<void> {
  const began = performance.now();
  const elapsed = (): number => performance.now() - began;
  let turn = start;
  const show = (next: ModelTurn): void => onTurn((turn = next));
  try {
    const response = await send('POST', '/v1/chat/completions', { body, signal });
    const deployment = response.headers.get('x-pailou-deployment');
    show({ ...turn, traceId: response.headers.get('x-pailou-trace-id'), deployment });
    await readEventStream(response, (data) => show(applied(turn, data as Chunk, elapsed())));
    show({ ...turn, totalMs: elapsed() });
  } catch (thrown) {
    if (signal.aborted) return show({ ...turn, totalMs: elapsed(), finish: 'stopped' });
    show({ ...turn, totalMs: elapsed(), error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
  }
}
