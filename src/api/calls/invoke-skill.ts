/** `skill/<name>`: runs with the rights of its caller, never of its author. */
import type { Run } from '../../telemetry/run.ts';
import type { ChatBody, ChatEvent, ChatEvents } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { type Conversation, noConversation } from '../../types/skill.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { textEvents, wholeText } from '../../types/text-events.ts';
import type { ToolResult } from '../../types/tool-source.ts';
import { booked, endFailed } from './booked.ts';
import { type Caller, requireModel, requireServer, requireSkill } from './caller.ts';
import { chatWithTools, hasServerTools } from './chat-loop.ts';
import { invokeModel, openRun } from './invoke-model.ts';
import { invokeTool } from './invoke-tool.ts';
import type { SkillCaller } from './server-tools.ts';
import type { CallServices } from './services.ts';
import { requireNamed } from './skill-rights.ts';
import { allows, chatTools } from './skill-tools.ts';
import { requireBudget, type TokenBudget } from './token-budget.ts';

export interface SkillCall {
  readonly run: Run;
  readonly events: ChatEvents;
}

export interface SkillCallOptions {
  readonly stream: boolean;
  readonly conversation?: Conversation;
  readonly parent?: Run | null;
  readonly signal?: AbortSignal;
  /** Hears of the run before anything is asked. */
  readonly onOpen?: (run: Run) => void;
}

/** Someone who is inside of skills already, with what these may still spend. */
type Within = Caller & { readonly budgets?: readonly TokenBudget[] };

interface SkillScope {
  readonly services: CallServices;
  readonly skill: SkillEntry;
  readonly caller: Within;
  readonly budgets: readonly TokenBudget[];
  readonly run: Run;
}

/** A skill that the caller was already found to have the right to use. Its inner calls are checked again, each for the same caller. */
export async function invokeSkill(
  services: CallServices,
  caller: Within,
  skill: SkillEntry,
  input: Json,
  options: SkillCallOptions,
): Promise<SkillCall> {
  const capability = `skill/${skill.name}`;
  const parent = options.parent ?? null;
  const { limits } = skill.spec;
  if (parent !== null && (parent.within(capability) || parent.depth + 1 >= limits.depth)) {
    throw new GatewayError('step_limit_reached', `The skill "${skill.name}" would call itself or go deeper than ${limits.depth} levels.`);
  }
  const run = openRun(services, caller, parent, capability, 'skill', options.stream);
  options.onOpen?.(run);
  const { content, days } = skill.spec.keep;
  if (content !== 'nothing') run.keep({ days, within: content === 'all' });
  run.asked(input);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(tookTooLong(skill)), limits.total_ms);
  run.onEnd(() => clearTimeout(timer));
  const signal = AbortSignal.any([options.signal ?? caller.signal, caller.signal, limit.signal]);
  const budgets = [...(caller.budgets ?? []), { skill: skill.name, tokens: limits.tokens, run }];
  const scope: SkillScope = { services, skill, caller: { ...caller, signal, budgets }, budgets, run };
  try {
    requireNamed(caller, skill.spec);
    const events = await skill.instance.invoke(input, {
      id: run.id,
      principal: caller.principal,
      signal,
      model: `model/${skill.spec.model}`,
      tools: chatTools(skill.spec.tools),
      maxSteps: limits.steps,
      streamed: options.stream,
      conversation: options.conversation ?? noConversation,
      invoke: async (target, body) => (await invokeFromSkill(scope, target, body)).events,
      async call(target, body) {
        const { events: answer, typed } = await invokeFromSkill(scope, target, body);
        const text = await wholeText(answer);
        return typed ? (JSON.parse(text) as Json) : text;
      },
    });
    return { run, events: booked(run, null, timely(events, limit.signal)) };
  } catch (thrown) {
    const error: unknown = limit.signal.aborted && !caller.signal.aborted ? limit.signal.reason : thrown;
    endFailed(run, error);
    throw error;
  }
}

/** What is cut by the clock says so, whatever the cut looks like from inside. */
async function* timely(events: ChatEvents, limit: AbortSignal): AsyncGenerator<readonly ChatEvent[]> {
  try {
    yield* events;
  } catch (thrown) {
    throw limit.aborted ? limit.reason : thrown;
  }
}

function tookTooLong(skill: SkillEntry): GatewayError {
  return new GatewayError('upstream_timeout', `The skill "${skill.name}" took longer than its ${skill.spec.limits.total_ms} ms.`);
}

/** A skill as a tool of a chat: what it answers is the tool's result. */
export function skillCaller(services: CallServices, caller: Within): SkillCaller {
  return async (skill, input, { parent, signal }): Promise<ToolResult> => {
    const { events } = await invokeSkill(services, caller, skill, input, { stream: false, parent, signal });
    const text = await wholeText(events);
    if (skill.instance.describe().outputSchema === null) return { content: [{ type: 'text', text }] };
    const value = JSON.parse(text) as Json;
    return { content: [{ type: 'text', text }], ...(isJsonObject(value) ? { structuredContent: value } : {}) };
  };
}

/** `typed`: the text of the events is JSON. */
async function invokeFromSkill(scope: SkillScope, target: string, body: JsonObject): Promise<{ events: ChatEvents; typed: boolean }> {
  const { services, skill, caller, budgets, run } = scope;
  if (!allows(skill.spec, target))
    throw new GatewayError(
      'permission_denied',
      `The skill "${skill.name}" may not use ${target.slice(0, 200)}: its row does not name it under tools.`,
    );
  caller.signal.throwIfAborted();
  requireBudget(budgets);
  const [kind, name = '', ...rest] = target.split('/');
  if (kind === 'mcp') {
    const result = await invokeTool(services, caller, requireServer(caller, name), rest.join('/'), body, { parent: run });
    if (result.isError === true) throw new GatewayError('tool_failed', `${target}: ${resultText(result).slice(0, 2_000)}`);
    return { events: textEvents(resultText(result)), typed: result.structuredContent !== undefined };
  }
  if (kind === 'skill') {
    const inner = requireSkill(caller, name);
    const { events } = await invokeSkill(services, caller, inner, body, { stream: false, parent: run });
    return { events, typed: inner.instance.describe().outputSchema !== null };
  }
  const model = requireModel(caller, target.slice('model/'.length));
  const request = { body: { ...body, model: model.name } as unknown as ChatBody };
  const stream = request.body.stream === true;
  const chat = { request, stream, maxSteps: skill.spec.limits.steps };
  const { events } = hasServerTools(chat)
    ? await chatWithTools(services, caller, model, chat, {
        parent: run,
        callSkill: skillCaller(services, caller),
        mayAsk: () => requireBudget(budgets),
      })
    : await invokeModel(services, caller, model, request, { stream, parent: run });
  return { events, typed: false };
}

/** What a skill reads of a tool: structured content as JSON, else the texts. */
function resultText({ content, structuredContent }: ToolResult): string {
  if (structuredContent !== undefined) return JSON.stringify(structuredContent);
  return content.map((part) => (typeof part['text'] === 'string' ? part['text'] : JSON.stringify(part))).join('\n');
}
