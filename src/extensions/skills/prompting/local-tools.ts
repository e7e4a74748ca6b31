/** A conversation in which the skill answers some function calls itself. Pailou executes the tools of the row. */
import type { ChatEvent, FinishReason } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { SkillRun } from '../../../types/skill.ts';
import { textEvents } from '../../../streaming/text-events.ts';

export interface LocalTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
  /** The text for the model. A failure is text too. */
  readonly call: (input: JsonObject) => string;
}

interface Call {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text === '' ? '{}' : text) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Yields steps, then the answer. At most `run.maxSteps` rounds, then one without tools. */
export async function* converse(
  run: SkillRun,
  start: readonly JsonObject[],
  tools: readonly LocalTool[],
): AsyncGenerator<readonly ChatEvent[]> {
  const functions = tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));
  let messages = start;
  for (let round = 1; ; round++) {
    const isLast = round > run.maxSteps;
    const offered = [...functions, ...run.tools];
    const body = { messages, ...(offered.length === 0 ? {} : { tools: offered }), ...(isLast ? { tool_choice: 'none' } : {}) };
    const calls = new Map<number, Call>();
    let [text, refusal] = ['', ''];
    let reason: FinishReason = 'stop';
    for await (const batch of await run.invoke(run.model, body)) {
      for (const event of batch) {
        if (event.type === 'text-delta' && event.choice === 0) text += event.text;
        else if (event.type === 'refusal-delta' && event.choice === 0) refusal += event.text;
        else if (event.type === 'finish' && event.choice === 0) ({ reason } = event);
        else if (event.type === 'tool-call-start') calls.set(event.call, { id: event.id, name: event.name, arguments: '' });
        else if (event.type === 'tool-call-delta') {
          const call = calls.get(event.call);
          if (call !== undefined) call.arguments += event.arguments;
        } else if (event.type === 'step') yield [event];
      }
    }
    if (calls.size === 0) {
      yield* textEvents(text, reason, refusal);
      return;
    }
    if (isLast) throw new GatewayError('step_limit_reached', `The model still calls tools after ${run.maxSteps} rounds.`);
    const asked = [...calls.values()];
    messages = [
      ...messages,
      {
        role: 'assistant',
        content: text === '' ? null : text,
        tool_calls: asked.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: call.arguments || '{}' },
        })),
      },
      ...asked.map((call) => {
        const tool = tools.find(({ name }) => name === call.name);
        return {
          role: 'tool',
          tool_call_id: call.id,
          content: tool === undefined ? `There is no tool "${call.name}".` : tool.call(parse(call.arguments)),
        };
      }),
    ];
  }
}
