/** Runs `skill/<name>` with the rights of its caller, never of its author. */
import { resultText } from '../../extensions/tool-loop/result-text.ts';
import { abortable } from '../../outbound/abortable.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvents } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { type Conversation, noConversation, type SkillRun } from '../../types/skill.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { textEvents, wholeText } from '../../streaming/text-events.ts';
import type { ToolResult } from '../../types/tool-source.ts';
import { recordRun, endRunWithError } from '../models/recorded-run.ts';
import { type Caller, requireModel, requireServer, requireSkill } from '../caller.ts';
import { parseChat } from '../chat/chat-body.ts';
import { chatWithTools, hasServerTools } from '../chat/chat-with-tools.ts';
import { invokeModel, openRun } from '../models/invoke-model.ts';
import { invokeTool } from '../tools/invoke-tool.ts';
import type { CallSkill } from '../chat/resolve-server-tools.ts';
import type { CallServices } from '../services.ts';
import { requireListed, requireNamed } from '../chat/skill-permissions.ts';
import { actingRights } from './acting-principal.ts';
import { allows, chatTools } from './allowed-tools.ts';
import { requireBudget, requireDepth, type EnclosingSkill } from './run-limits.ts';
import { settledRun, untilAborted } from './abortable-events.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

export interface SkillCall {
  readonly run: Run;
  readonly events: ChatEvents;
}

export interface SkillCallOptions {
  readonly stream: boolean;
  readonly conversation?: Conversation;
  readonly parent?: Run | null;
  readonly signal?: AbortSignal;
  /** Called with the run before any model or tool is called. */
  readonly onOpen?: (run: Run) => void;
}

/** A caller with its enclosing skills, outermost first. */
type NestedCaller = Caller & { readonly enclosing?: readonly EnclosingSkill[] };

interface SkillScope {
  readonly services: CallServices;
  readonly skill: SkillEntry;
  readonly caller: NestedCaller;
  readonly enclosing: readonly EnclosingSkill[];
  readonly run: Run;
}

/** The caller must have the right to use the skill. Its inner calls are checked again, each for the same caller. */
export async function invokeSkill(
  services: CallServices,
  caller: NestedCaller,
  skill: SkillEntry,
  input: Json,
  options: SkillCallOptions,
): Promise<SkillCall> {
  const capability = `skill/${skill.name}`;
  const parent = options.parent ?? null;
  if (parent?.isWithin(capability) === true) throw new GatewayError('step_limit_reached', `The skill "${skill.name}" would call itself.`);
  requireDepth(caller.enclosing ?? [], skill.name);
  const own = await actingRights(services, skill);
  // Within a skill that runs as itself, an inner skill has the same rights.
  const acting = own ?? caller.acting;
  const inside: NestedCaller = acting === undefined ? caller : { ...caller, acting, subjectToken: () => null };
  const run = openRun(services, inside, parent, capability, 'skill', options.stream);
  const { limits, keep } = skill.spec;
  if (keep.content !== 'nothing') run.keep({ days: keep.days, within: keep.content === 'all' });
  run.asked(input);
  run.works();
  // Inner calls end with the run, such as the rest of a list whose first item failed.
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(tookTooLong(skill)), limits.total_ms);
  run.onEnd(() => {
    clearTimeout(timer);
    over.abort(new GatewayError('client_closed_request', `The run of the skill "${skill.name}" has ended.`));
  });
  options.onOpen?.(run);
  const signal = AbortSignal.any([options.signal ?? abortSignalOf(caller.signal), abortSignalOf(caller.signal), over.signal]);
  const enclosing = [...(caller.enclosing ?? []), { skill: skill.name, tokens: limits.tokens, depth: limits.depth, run }];
  const scope: SkillScope = { services, skill, caller: { ...inside, signal, enclosing }, enclosing, run };
  try {
    requireNamed(inside, skill.spec);
    const events = await abortable(skill.instance.invoke(input, skillRunOf(scope, options)), signal);
    return { run, events: recordRun(run, null, untilAborted(events, signal, run)) };
  } catch (thrown) {
    // An aborted run reports the reason of its signal.
    const error: unknown = signal.aborted ? signal.reason : thrown;
    await settledRun(run);
    endRunWithError(run, error);
    throw error;
  }
}

/** The interface of the skill to the gateway, with the caller's rights. */
function skillRunOf(scope: SkillScope, { stream, conversation }: SkillCallOptions): SkillRun {
  const { skill, caller, run } = scope;
  return {
    id: run.id,
    principal: caller.principal,
    signal: abortSignalOf(caller.signal),
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

function tookTooLong(skill: SkillEntry): GatewayError {
  return new GatewayError('upstream_timeout', `The skill "${skill.name}" took longer than its ${skill.spec.limits.total_ms} ms.`);
}

/** Calls skills as tools of a chat. The skill's answer is the tool's result. */
export function skillsAsTools(services: CallServices, caller: NestedCaller): CallSkill {
  return async (skill, input, { parent, signal }): Promise<ToolResult> => {
    const { events } = await invokeSkill(services, caller, skill, input, { stream: false, parent, signal });
    const text = await wholeText(events);
    if (skill.instance.describe().outputSchema === null) return { content: [{ type: 'text', text }] };
    const value = JSON.parse(text) as Json;
    return { content: [{ type: 'text', text }], ...(isJsonObject(value) ? { structuredContent: value } : {}) };
  };
}

interface InnerAnswer {
  readonly events: ChatEvents;
  /** True if the text of the events is JSON. */
  readonly typed: boolean;
}

async function invokeFromSkill(scope: SkillScope, target: string, body: JsonObject): Promise<InnerAnswer> {
  const { skill, caller, enclosing } = scope;
  if (!allows(skill.spec, target))
    throw new GatewayError(
      'permission_denied',
      `The skill "${skill.name}" may not use ${target.slice(0, 200)}: its row does not name it under tools.`,
    );
  caller.signal.throwIfAborted();
  requireBudget(enclosing);
  const [kind, name = '', ...rest] = target.split('/');
  if (kind === 'mcp') return callTool(scope, name, rest.join('/'), body);
  if (kind === 'skill') return callInnerSkill(scope, name, body);
  return callModel(scope, target.slice('model/'.length), body);
}

async function callTool({ services, caller, run }: SkillScope, server: string, tool: string, input: JsonObject): Promise<InnerAnswer> {
  const result = await invokeTool(services, caller, requireServer(caller, server), tool, input, { parent: run });
  if (result.isError === true) throw new GatewayError('tool_failed', `mcp/${server}/${tool}: ${resultText(result).slice(0, 2_000)}`);
  // The skill receives pictures and files too.
  const { structuredContent, content } = result;
  const typed = structuredContent ?? (content.every(({ type }) => type === 'text') ? null : content);
  return { events: textEvents(typed === null ? resultText(result) : JSON.stringify(typed)), typed: typed !== null };
}

async function callInnerSkill({ services, caller, run }: SkillScope, name: string, input: JsonObject): Promise<InnerAnswer> {
  const inner = requireSkill(caller, name);
  const { events } = await invokeSkill(services, caller, inner, input, { stream: false, parent: run });
  return { events, typed: inner.instance.describe().outputSchema !== null };
}

async function callModel({ services, skill, caller, enclosing, run }: SkillScope, name: string, body: JsonObject): Promise<InnerAnswer> {
  const model = requireModel(caller, name);
  // A skill's request may come from its input, so it is parsed again.
  const { request, stream } = parseChat({ ...body, model: model.name }, null);
  requireListed(skill, request.body);
  const chat = { request, stream, maxSteps: skill.spec.limits.steps, decisions: [] };
  const { events } = hasServerTools(chat)
    ? await chatWithTools(services, caller, model, chat, {
        parent: run,
        callSkill: skillsAsTools(services, caller),
        mayAsk: () => requireBudget(enclosing),
      })
    : await invokeModel(services, caller, model, request, { stream, parent: run, checksForm: true });
  return { events, typed: false };
}
