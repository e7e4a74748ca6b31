/** Runs a skill on a scripted model: records its requests and computes the answers from them. */
import type { ChatEvents, FinishReason, StepRecord } from '../../../src/types/chat.ts';
import type { Json, JsonObject } from '../../../src/types/json.ts';
import type { Plugin, PluginServices } from '../../../src/types/plugin.ts';
import { type Conversation, noConversation, type Skill } from '../../../src/types/skill.ts';
import { textEvents } from '../../../src/streaming/text-events.ts';
import { logger, principal } from '../mcp/services.ts';

export type Script = (asked: {
  readonly system: string;
  readonly user: string;
  readonly turn: number;
  readonly body: JsonObject;
  readonly capability: string;
}) => Json;
const services = {
  logger,
  mode: 'development',
  stdioPrograms: [],
  stdioUser: null,
  checkUrl: (url: string) => new URL(url),
  fetch,
  tokenExchange: { check: async () => {}, require: async () => {} },
} as PluginServices;

export async function makeSkill(plugin: Plugin<'skill', never>, options: object = {}): Promise<Skill> {
  return plugin.create(plugin.options.parse(options), services);
}

async function* answered(text: string, reason: FinishReason): ChatEvents {
  for await (const batch of textEvents(text)) yield batch.map((event) => (event.type === 'finish' ? { ...event, reason } : event));
}

export interface Played {
  readonly text: string;
  // oxlint-disable-next-line no-explicit-any -- tests look into outputs of every shape
  readonly output: any;
  readonly asked: readonly { readonly capability: string; readonly body: JsonObject }[];
  readonly steps: readonly string[];
  readonly stepRecords: readonly StepRecord[];
}

/** `script` returns the answer as text, or as a value that is sent as JSON. */
export async function play(
  skill: Skill,
  input: Json,
  script: Script,
  more: { readonly signal?: AbortSignal; readonly conversation?: Conversation; readonly reason?: FinishReason } = {},
): Promise<Played> {
  const asked: { capability: string; body: JsonObject }[] = [];
  const ask = (capability: string, body: JsonObject): Json => {
    asked.push({ capability, body: structuredClone<JsonObject>(body) });
    const messages = (body['messages'] ?? []) as { role: string; content: string }[];
    return script({
      system: messages.find(({ role }) => role === 'system')?.content ?? '',
      user: messages.findLast(({ role }) => role === 'user')?.content ?? '',
      turn: asked.length,
      body,
      capability,
    });
  };
  const events = await skill.invoke(input, {
    id: 'run',
    principal,
    signal: more.signal ?? new AbortController().signal,
    model: 'model/scripted',
    tools: [],
    maxSteps: 8,
    streamed: false,
    conversation: more.conversation ?? noConversation,
    invoke: async (capability, body) => {
      const said = ask(capability, body);
      return answered(typeof said === 'string' ? said : JSON.stringify(said), more.reason ?? 'stop');
    },
    call: async (capability, body) => ask(capability, body),
  });
  let text = '';
  const stepRecords: StepRecord[] = [];
  for await (const batch of events)
    for (const event of batch) {
      if (event.type === 'text-delta') text += event.text;
      else if (event.type === 'step') stepRecords.push(event.step);
    }
  let output: unknown = text;
  try {
    output = JSON.parse(text);
  } catch {
    // Plain text.
  }
  return { text, output, asked, stepRecords, steps: stepRecords.map(({ id }) => id) };
}
