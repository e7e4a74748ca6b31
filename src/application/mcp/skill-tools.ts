/** Skills for MCP clients: tools, and prompts for clients that call their own model. */
import { publicToolName } from '../../models/tool-names.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import type { PromptDefinition, ToolDefinition } from '../../types/tool-source.ts';
import { type Caller, may } from '../caller.ts';

export interface VisibleSkill {
  readonly skill: SkillEntry;
  readonly shown: string;
  readonly definition: ToolDefinition;
}

/** The same object as long as the skill is unchanged, because lists are compared and searched by identity. */
const known = new WeakMap<SkillEntry, VisibleSkill>();

function shownSkill(skill: SkillEntry): VisibleSkill {
  let made = known.get(skill);
  if (made === undefined) {
    const { inputSchema, outputSchema } = skill.instance.describe();
    const { title, description } = skill.spec;
    const shown = publicToolName('skill', skill.name);
    const definition: ToolDefinition = {
      name: shown,
      ...(title === '' ? {} : { title }),
      description,
      inputSchema: inputSchema['type'] === 'object' ? inputSchema : { ...inputSchema, type: 'object' },
      ...(outputSchema?.['type'] === 'object' ? { outputSchema } : {}),
    };
    made = { skill, shown, definition };
    known.set(skill, made);
  }
  return made;
}

/** The skills that the caller may use. */
export function visibleSkills(caller: Caller): readonly VisibleSkill[] {
  return [...caller.view.skills.values()].filter(({ capability }) => may(caller, 'use', capability)).map(shownSkill);
}

/** Null for a skill that does not exist or that the caller may not use. */
export function usableSkill(caller: Caller, name: string): SkillEntry | null {
  const skill = caller.view.skills.get(name);
  return skill !== undefined && may(caller, 'use', skill.capability) ? skill : null;
}

/** By the displayed name or the skill's own name. */
export function findSkill(skills: readonly VisibleSkill[], name: string): VisibleSkill | undefined {
  return skills.find(({ shown }) => shown === name) ?? skills.find(({ skill }) => skill.name === name);
}

/** The skills that can render their prompt. */
export function skillPrompts(skills: readonly VisibleSkill[]): readonly PromptDefinition[] {
  return skills
    .filter(({ skill }) => skill.instance.messages !== undefined)
    .map(({ shown, definition }) => {
      const { properties, required } = definition.inputSchema;
      const needed = Array.isArray(required) ? required : [];
      const fields = isJsonObject(properties) ? Object.entries(properties) : [];
      return {
        name: shown,
        ...(definition.title === undefined ? {} : { title: definition.title }),
        ...(definition.description === undefined ? {} : { description: definition.description }),
        arguments: fields.map(([name, schema]) => ({
          name,
          ...(isJsonObject(schema) && typeof schema['description'] === 'string' ? { description: schema['description'] } : {}),
          required: needed.includes(name),
        })),
      };
    });
}

/** Arguments of prompts are texts. A non-text value by the schema is parsed as JSON. Throws `invalid_request`. */
function inputOf({ definition }: VisibleSkill, given: JsonObject): JsonObject {
  const properties = isJsonObject(definition.inputSchema['properties']) ? definition.inputSchema['properties'] : {};
  return Object.fromEntries(
    Object.entries(given).map(([name, value]): [string, Json] => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const type = isJsonObject(schema) ? schema['type'] : undefined;
      if (typeof value !== 'string' || type === 'string' || type === undefined) return [name, value as Json];
      try {
        return [name, JSON.parse(value) as Json];
      } catch {
        throw new GatewayError('invalid_request', `${name}: must be JSON, because this argument is not text.`, { param: name });
      }
    }),
  );
}

/** The answer to `prompts/get`. MCP has no system role, so the system text comes first. */
export function skillPrompt(found: VisibleSkill, given: JsonObject): JsonObject {
  const messages = found.skill.instance.messages?.(inputOf(found, given)) ?? [];
  return {
    ...(found.definition.description === undefined ? {} : { description: found.definition.description }),
    messages: messages.map(({ role, content }) => ({
      role: role === 'assistant' ? 'assistant' : 'user',
      content: { type: 'text', text: typeof content === 'string' ? content : JSON.stringify(content) },
    })),
  };
}
