/** `skill/<name>`: runs with the rights of its caller, never of its author. */
import { setTimeout as sleep } from 'node:timers/promises';
import { resultText } from '../../extensions/tool-loop/result-text.ts';
import { orAborted } from '../../outbound/or-aborted.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatBody, ChatEvent, ChatEvents } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { type Conversation, noConversation, type SkillRun } from '../../types/skill.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { textEvents, wholeText } from '../../types/text-events.ts';
import type { ToolResult } from '../../types/tool-source.ts';
import { booked, endFailed } from '../calls/booked.ts';
import { type Caller, requireModel, requireServer, requireSkill } from '../calls/caller.ts';
import { chatWithTools, hasServerTools } from '../calls/chat-loop.ts';
import { invokeModel, openRun } from '../calls/invoke-model.ts';
import { invokeTool } from '../calls/invoke-tool.ts';
import type { SkillCaller } from '../calls/server-tools.ts';
import type { CallServices } from '../calls/services.ts';
import { requireListed, requireNamed } from './rights.ts';
import { allows, chatTools } from './named-tools.ts';
import { requireBudget, requireDepth, type SkillAround } from './bounds.ts';

const mostToBookMs = 1_000;

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

/** Someone who is inside of skills already, the outermost first. */
type Within = Caller & { readonly around?: readonly SkillAround[] };

interface SkillScope {
  readonly services: CallServices;
  readonly skill: SkillEntry;
  readonly caller: Within;
  readonly around: readonly SkillAround[];
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
  if (parent?.within(capability) === true) throw new GatewayError('step_limit_reached', `The skill "${skill.name}" would call itself.`);
  requireDepth(caller.around ?? [], skill.name);
  const run = openRun(services, caller, parent, capability, 'skill', options.stream);
  const { limits, keep } = skill.spec;
  if (keep.content !== 'nothing') run.keep({ days: keep.days, within: keep.content === 'all' });
  run.asked(input);
  // Whatever goes on within it ends with it: what is left of a list whose first item failed, say.
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(tookTooLong(skill)), limits.total_ms);
  run.onEnd(() => {
    clearTimeout(timer);
    over.abort(new GatewayError('client_closed_request', `The run of the skill "${skill.name}" has ended.`));
  });
  options.onOpen?.(run);
  const signal = AbortSignal.any([options.signal ?? caller.signal, caller.signal, over.signal]);
  const around = [...(caller.around ?? []), { skill: skill.name, tokens: limits.tokens, depth: limits.depth, run }];
  const scope: SkillScope = { services, skill, caller: { ...caller, signal, around }, around, run };
  try {
    requireNamed(caller, skill.spec);
    const events = await orAborted(skill.instance.invoke(input, handOf(scope, options)), signal);
    return { run, events: booked(run, null, timely(events, signal, run)) };
  } catch (thrown) {
    // What is cut says why, whatever the cut looks like from inside.
    const error: unknown = signal.aborted ? signal.reason : thrown;
    await quietFor(run);
    endFailed(run, error);
    throw error;
  }
}

/** What it was cut off from is booked in a moment, and is a part of what it spent. */
async function quietFor(run: Run): Promise<void> {
  await Promise.race([run.quiet(), sleep(mostToBookMs, undefined, { ref: false })]);
}

function handOf(scope: SkillScope, { stream, conversation }: SkillCallOptions): SkillRun {
  const { skill, caller, run } = scope;
  return {
    id: run.id,
    principal: caller.principal,
    signal: caller.signal,
    model: `model/${skill.spec.model}`,
    tools: chatTools(skill.spec.tools),
    maxSteps: skill.spec.limits.steps,
    streamed: stream,
    conversation: conversation ?? noConversation,
    invoke: async (target, body) => (await invokeFromSkill(scope, target, body)).events,
    async call(target, body) {
      const { events, typed } = await invokeFromSkill(scope, target, body);
      const text = await wholeText(events);
      return typed ? (JSON.parse(text) as Json) : text;
    },
  };
}

/** The events, for no longer than the signal lets: code of others need not hear it. */
async function* timely(events: ChatEvents, signal: AbortSignal, run: Run): AsyncGenerator<readonly ChatEvent[]> {
  const source = events[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(source.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    await quietFor(run);
    throw signal.reason;
  } finally {
    const left = Promise.resolve(source.return?.());
    // Whoever does not hear the signal would keep the caller waiting here as well.
    if (signal.aborted) left.catch(() => {});
    else await left;
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
  const { services, skill, caller, around, run } = scope;
  if (!allows(skill.spec, target))
    throw new GatewayError(
      'permission_denied',
      `The skill "${skill.name}" may not use ${target.slice(0, 200)}: its row does not name it under tools.`,
    );
  caller.signal.throwIfAborted();
  requireBudget(around);
  const [kind, name = '', ...rest] = target.split('/');
  if (kind === 'mcp') {
    const result = await invokeTool(services, caller, requireServer(caller, name), rest.join('/'), body, { parent: run });
    if (result.isError === true) throw new GatewayError('tool_failed', `${target}: ${resultText(result).slice(0, 2_000)}`);
    // Pictures and files are for the skill itself to use: nothing of them is left out.
    const { structuredContent, content } = result;
    const typed = structuredContent ?? (content.every(({ type }) => type === 'text') ? null : content);
    return { events: textEvents(typed === null ? resultText(result) : JSON.stringify(typed)), typed: typed !== null };
  }
  if (kind === 'skill') {
    const inner = requireSkill(caller, name);
    const { events } = await invokeSkill(services, caller, inner, body, { stream: false, parent: run });
    return { events, typed: inner.instance.describe().outputSchema !== null };
  }
  const model = requireModel(caller, target.slice('model/'.length));
  const request = { body: { ...body, model: model.name } as unknown as ChatBody };
  requireListed(skill, request.body);
  const stream = request.body.stream === true;
  const chat = { request, stream, maxSteps: skill.spec.limits.steps };
  const { events } = hasServerTools(chat)
    ? await chatWithTools(services, caller, model, chat, {
        parent: run,
        callSkill: skillCaller(services, caller),
        mayAsk: () => requireBudget(around),
      })
    : await invokeModel(services, caller, model, request, { stream, parent: run });
  return { events, typed: false };
}
