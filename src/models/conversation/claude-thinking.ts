/** Sets Claude's thinking for a request, and removes the fields that conflict with it. */
import type { ChatBody } from '../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { EncodeTarget } from '../../types/wire-format.ts';
import type { ClaudeTraits } from './claude.ts';
import { type Effort, effortOf, unsupported } from './request-fields.ts';
import type { ToolChoice } from './tool-use.ts';

/** Thinking tokens by effort. The Messages client format converts budgets back by the same table. */
const budgets: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_000,
  max: 48_000,
};
const minBudget = 1_024;

export interface ClaudeThinking {
  /** The field `thinking`; undefined leaves it out. */
  readonly thinking: JsonObject | undefined;
  /** `effort` of `output_config`. */
  readonly effort: string | undefined;
  /** True when the model thinks, or may think, in this call. */
  readonly active: boolean;
}

const off: ClaudeThinking = { thinking: undefined, effort: undefined, active: false };

export function forcesTool(choice: ToolChoice | undefined): boolean {
  return choice?.mode === 'required' || choice?.mode === 'named';
}

function effortLevel(effort: Exclude<Effort, 'none'>, traits: ClaudeTraits, target: EncodeTarget): string {
  const level = effort === 'minimal' ? 'low' : effort === 'xhigh' && !traits.knowsXhigh ? 'max' : effort;
  if (level !== effort) target.warn(`reasoning_effort ${effort} changed to ${level}: ${target.model} has no ${effort}`);
  return level;
}

/** Newer models return their reasoning only on request. */
const summarized: JsonObject = { type: 'adaptive', display: 'summarized' };

function withoutThinking(traits: ClaudeTraits, target: EncodeTarget): ClaudeThinking {
  const type = traits.withoutThinking;
  if (type === 'nothing') return off;
  if (type === 'disabled') return { ...off, thinking: { type } };
  target.warn(`reasoning_effort none changed to the least: ${target.model} always thinks`);
  return type === 'between_tools'
    ? { thinking: { type }, effort: undefined, active: true }
    : { thinking: summarized, effort: 'low', active: true };
}

function forEffort(effort: Effort, traits: ClaudeTraits, target: EncodeTarget, maxTokens: Json | undefined): ClaudeThinking {
  if (traits.thinking === 'none') {
    if (effort !== 'none') target.warn(`reasoning_effort left out: ${target.model} does not think`);
    return off;
  }
  if (effort === 'none') return withoutThinking(traits, target);
  if (traits.thinking === 'adaptive') return { thinking: summarized, effort: effortLevel(effort, traits, target), active: true };
  const room = typeof maxTokens === 'number' ? maxTokens : Number.POSITIVE_INFINITY;
  if (room <= minBudget) {
    target.warn('reasoning_effort left out: max_tokens leaves no room to think');
    return off;
  }
  // Some tokens must remain for the answer.
  const budget = Math.max(minBudget, Math.min(budgets[effort], Math.floor(room * 0.8)));
  return { thinking: { type: 'enabled', budget_tokens: budget }, effort: undefined, active: true };
}

/** The caller's own `thinking` takes precedence over `reasoning_effort`. */
function forCallerThinking(own: JsonObject, effort: Effort | undefined, traits: ClaudeTraits, target: EncodeTarget): ClaudeThinking {
  const active = own['type'] !== 'disabled';
  const level = effort === undefined || effort === 'none' ? undefined : effort;
  if (traits.thinking === 'adaptive' && active && level !== undefined) {
    return { thinking: own, effort: effortLevel(level, traits, target), active };
  }
  if (effort !== undefined && (level !== undefined) === active) return { thinking: own, effort: undefined, active };
  if (effort !== undefined) target.warn('reasoning_effort left out: thinking says otherwise');
  return { thinking: own, effort: undefined, active };
}

/** True when the message has reasoning from one of these formats. */
export function hasReasoningFrom(message: JsonObject, formats: readonly string[]): boolean {
  const details = message['reasoning_details'];
  return Array.isArray(details) && details.some((each: Json) => isJsonObject(each) && formats.some((format) => each['format'] === format));
}

/** True when the current turn started with tool calls whose reasoning is lost. */
function lacksReasoning(messages: ChatBody['messages'], formats: readonly string[]): boolean {
  const conversation = messages.filter(({ role }) => role !== 'system' && role !== 'developer');
  const start = conversation.findLastIndex(({ role }, index) => role === 'user' && conversation[index - 1]?.['role'] !== 'tool');
  const first = conversation.slice(start + 1).find(({ role }) => role === 'assistant');
  return first !== undefined && Array.isArray(first['tool_calls']) && !hasReasoningFrom(first, formats);
}

/** `formats`: the formats whose reasoning the vendor accepts as its own. Thinking is switched off with a warning where Claude would refuse it, as in some turns with tools. */
export function claudeThinking(
  body: ChatBody,
  target: EncodeTarget,
  more: {
    readonly traits: ClaudeTraits;
    readonly choice: ToolChoice | undefined;
    readonly maxTokens: Json | undefined;
    readonly formats: readonly string[];
  },
): ClaudeThinking {
  const { traits, choice } = more;
  const forced = forcesTool(choice);
  if (forced && !traits.forcedTools) {
    const remedy = 'Use auto and ask for the tool in words, or use another model.';
    throw unsupported(target, 'tool_choice', `cannot make ${target.model} call a tool`, remedy);
  }
  const own = isJsonObject(body['thinking']) ? body['thinking'] : undefined;
  const effort = effortOf(body);
  let requested = off;
  if (own !== undefined) requested = forCallerThinking(own, effort, traits, target);
  else if (effort !== undefined) requested = forEffort(effort, traits, target, more.maxTokens);
  else if (traits.thinksByItself) requested = { thinking: summarized, effort: undefined, active: true };
  if (!traits.isClaude || requested.thinking?.['type'] !== 'enabled') return requested;
  if (forced) {
    target.warn('thinking switched off: tool_choice makes the model call a tool');
    return off;
  }
  if (lacksReasoning(body.messages, more.formats)) {
    target.warn('thinking switched off: the thoughts before the last tool calls are lost');
    return off;
  }
  return requested;
}

/** Temperature, top_p and top_k as far as the model accepts them. Others are dropped with a warning. */
export function claudeSampling(body: JsonObject, target: EncodeTarget, traits: ClaudeTraits, thinks: boolean): Record<string, Json> {
  const fields: Record<string, Json> = {};
  for (const field of ['temperature', 'top_p', 'top_k']) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    // The maximum of their range is the default behaviour.
    if (traits.sampling !== 'neither' && !(traits.isClaude && thinks)) fields[field] = value;
    else if (field === 'top_k' || value !== 1) {
      target.warn(`${field} left out: ${target.model} ${traits.sampling === 'neither' ? 'has none' : 'takes none while it thinks'}`);
    }
  }
  const { temperature, top_p: topP } = fields;
  if (traits.sampling === 'one' && temperature !== undefined && topP !== undefined) {
    delete fields['top_p'];
    if (topP !== 1) target.warn(`top_p left out: ${target.model} takes temperature or top_p, not both`);
  }
  if (typeof temperature === 'number' && (temperature < 0 || temperature > 1)) {
    fields['temperature'] = Math.min(1, Math.max(0, temperature));
    target.warn(`temperature changed to ${fields['temperature']}: ${target.vendor} takes 0 to 1`);
  }
  return fields;
}
