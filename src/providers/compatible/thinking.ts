/** Converts OpenAI's `reasoning_effort` to each vendor's own fields, by what the model takes. */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { nearestEffort } from '../../types/model-reasoning.ts';
import type { UpstreamCall } from '../../types/provider.ts';
import type { ThinkingSwitch } from './dialect.ts';

/** Thinking tokens by effort, for vendors that take a budget. */
const budgets: Readonly<Record<string, number>> = { minimal: 1_024, low: 2_048, medium: 8_192, high: 24_576, xhigh: 32_768 };

/** The values for a vendor that takes `words`, of which the model may take fewer. */
function wordsFor(words: readonly string[] | undefined, { reasoning }: UpstreamCall): readonly string[] | undefined {
  const { efforts = [], vendorEfforts } = reasoning ?? {};
  if (efforts.length === 0) return words;
  if (words === undefined || vendorEfforts === true) return efforts;
  const common = words.filter((word) => efforts.includes(word) || (word === 'none' && reasoning?.thinking !== 'always'));
  return common.some((word) => word !== 'none') ? common : words;
}

/** The level to send, with a warning when it is another one than requested. */
function levelOf(effort: string, words: readonly string[], call: UpstreamCall): string {
  const level = nearestEffort(effort, words);
  if (level !== effort) call.warn(`reasoning_effort is ${level}: ${call.model} has no ${effort}`);
  return level;
}

function warnWithoutLevels(effort: string, call: UpstreamCall): void {
  if (effort !== 'none') call.warn(`reasoning_effort ${effort} only switches thinking on: ${call.model} has no levels`);
}

/** True when thinking is wanted, or cannot be disabled, which is reported. */
function isOn(effort: string, call: UpstreamCall): boolean {
  if (effort !== 'none') return true;
  if (call.reasoning?.thinking !== 'always') return false;
  call.warn(`reasoning_effort none changed to the least: ${call.model} always thinks`);
  return true;
}

function byType(
  rest: JsonObject,
  effort: string,
  style: ThinkingSwitch & { readonly by: 'thinking-type' },
  call: UpstreamCall,
): JsonObject {
  const own = rest['thinking'];
  if (isJsonObject(own) && own['type'] === 'disabled') {
    if (effort !== 'none') call.warn('reasoning_effort left out: thinking is disabled');
    return rest;
  }
  const on = own === undefined ? isOn(effort, call) : effort !== 'none';
  const type = own === undefined ? { thinking: { type: on ? (style.on ?? 'enabled') : 'disabled' } } : {};
  if (!on) {
    if (own !== undefined) call.warn('reasoning_effort none left out: thinking says otherwise');
    return { ...rest, ...type };
  }
  const { efforts } = style;
  if (efforts === undefined || call.reasoning?.efforts?.length === 0) {
    warnWithoutLevels(effort, call);
    return { ...rest, ...type };
  }
  // A vendor that maps every value itself gets the caller's, apart from `none`, which it would read as a switch.
  const words = efforts === 'any' && effort !== 'none' ? undefined : wordsFor(efforts === 'any' ? undefined : efforts, call);
  return { ...rest, ...type, reasoning_effort: words === undefined ? effort : levelOf(effort, words, call) };
}

function byTemplate(rest: JsonObject, effort: string, call: UpstreamCall): JsonObject {
  const on = isOn(effort, call);
  const { efforts } = call.reasoning ?? {};
  const given = isJsonObject(rest['chat_template_kwargs']) ? rest['chat_template_kwargs'] : {};
  // Two names for one switch: Qwen and GLM templates read the first, DeepSeek and Granite templates the second.
  const switches = { enable_thinking: on, thinking: on };
  if (efforts?.length === 0 || !on) {
    if (on) warnWithoutLevels(effort, call);
    return { ...rest, chat_template_kwargs: { ...switches, ...given } };
  }
  // A template without this variable ignores it; the field itself may be refused for models without levels.
  if (efforts === undefined) return { ...rest, chat_template_kwargs: { ...switches, reasoning_effort: effort, ...given } };
  const level = levelOf(effort, efforts, call);
  // vLLM and SGLang read the field, llama.cpp and Xinference the template's variable.
  return { ...rest, reasoning_effort: level, chat_template_kwargs: { ...switches, reasoning_effort: level, ...given } };
}

/** The body with `reasoning_effort` in the vendor's fields. The vendor's own fields from the caller take precedence. */
export function switchThinking(body: JsonObject, style: ThinkingSwitch, call: UpstreamCall, vendor: string): JsonObject {
  const { reasoning_effort: effort, ...rest } = body;
  if (typeof effort !== 'string') return body;
  const unless = (field: string, value: Json): JsonObject => (rest[field] === undefined ? { ...rest, [field]: value } : rest);
  switch (style.by) {
    case 'effort': {
      if (effort === 'none' && style.off !== undefined && !isOn(effort, call)) return { ...style.off, ...rest };
      const words = wordsFor(style.words, call);
      if (words === undefined) return body;
      const word = nearestEffort(effort, words);
      if (word !== effort) call.warn(`reasoning_effort is ${word}: ${vendor} has no ${effort}`);
      return { ...rest, reasoning_effort: word };
    }
    case 'thinking-type':
      return byType(rest, effort, style, call);
    case 'enable-thinking': {
      // Models that always think refuse the switch.
      const always = call.reasoning?.thinking === 'always';
      const on = isOn(effort, call);
      const switched = always ? rest : unless('enable_thinking', on);
      const budget = budgets[effort];
      if (!style.budget) warnWithoutLevels(effort, call);
      return !style.budget || budget === undefined || rest['thinking_budget'] !== undefined
        ? switched
        : { ...switched, thinking_budget: budget };
    }
    case 'chat-template':
      return byTemplate(rest, effort, call);
    case 'reasoning-object':
      return unless('reasoning', isOn(effort, call) ? { effort: effort === 'none' ? 'minimal' : effort } : { enabled: false });
    case 'none':
      call.warn(`reasoning_effort left out: ${vendor} has none`);
      return rest;
  }
}
