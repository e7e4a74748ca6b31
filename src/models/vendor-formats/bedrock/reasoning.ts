/** Reasoning effort of models at Bedrock: the field depends on the model's maker. */
import type { ChatBody } from '../../../types/chat.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { claudeThinking } from '../../conversation/claude-thinking.ts';
import type { ClaudeTraits } from '../../conversation/claude.ts';
import { effortOf } from '../../conversation/request-fields.ts';
import type { ToolChoice } from '../../conversation/tool-use.ts';

export interface Reasoning {
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject;
  /** True when Claude thinks, or may think, in this call. */
  readonly active: boolean;
  /** Formats whose reasoning the model accepts as its own. Claude's is the same at every vendor. */
  readonly formats: readonly string[];
}

const novaEfforts: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'high', max: 'high' };

export function writeReasoning(
  body: ChatBody,
  target: EncodeTarget,
  more: { readonly traits: ClaudeTraits; readonly choice: ToolChoice | undefined; readonly maxTokens: Json | undefined },
): Reasoning {
  if (more.traits.isClaude) {
    const formats = ['bedrock', 'anthropic'];
    const { thinking, effort, active } = claudeThinking(body, target, { ...more, formats });
    const fields = {
      ...(thinking === undefined ? {} : { thinking }),
      ...(effort === undefined ? {} : { output_config: { effort } }),
    };
    return { fields, active, formats: active ? formats : [] };
  }
  const rest = { active: false, formats: ['bedrock'] };
  const { thinking } = body;
  const own = thinking === undefined || thinking === null ? {} : { thinking };
  const effort = effortOf(body);
  if (effort === undefined) return { ...rest, fields: own };
  if (/(^|\.)openai\./.test(target.model)) return { ...rest, fields: { ...own, reasoning_effort: effort } };
  if (/(^|\.)amazon\.nova-[2-9]/.test(target.model)) {
    const config = effort === 'none' ? { type: 'disabled' } : { type: 'enabled', maxReasoningEffort: novaEfforts[effort] ?? effort };
    return { ...rest, fields: { ...own, reasoningConfig: config } };
  }
  target.warn(`reasoning_effort left out: ${target.model} has no field for it`);
  return { ...rest, fields: own };
}
