/** Routes a chat request to a model, to the tool loop, or to a skill. */
import type { Run } from '../telemetry/run.ts';
import type { ChatEvents } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { ModelEntry } from '../types/snapshot.ts';
import { cachedChat } from './models/cached-chat.ts';
import { type Caller, requireModel, requireSkill } from './caller.ts';
import type { ParsedCall } from './chat/chat-body.ts';
import { chatWithTools, hasServerTools } from './chat/chat-with-tools.ts';
import { invokeModel } from './models/invoke-model.ts';
import { invokeSkill, skillsAsTools } from './skills/invoke-skill.ts';
import type { CallServices } from './services.ts';
import { skillInput } from './skills/input.ts';

export interface ChatAnswer {
  readonly run: Run;
  readonly events: ChatEvents;
  /** Null when several calls produce the answer. */
  readonly deployment: string | null;
  readonly attempts: number | null;
  /** What the vendor's dialect left out or changed. */
  readonly warnings: readonly string[];
}

/** A decision that has no effect is refused instead of ignored. */
function requireToolsToDecide(chat: ParsedCall): void {
  const [first] = chat.decisions;
  if (first === undefined) return;
  if (!chat.request.body.model.startsWith('skill/') && hasServerTools(chat)) return;
  const sentence = `${first.place}: list the tools of the decided calls in tools again.`;
  throw new GatewayError('invalid_request', sentence, { param: first.place });
}

async function chatWithSkill(services: CallServices, caller: Caller, name: string, chat: ParsedCall): Promise<ChatAnswer> {
  const skill = requireSkill(caller, name);
  const { input, conversation, warnings } = skillInput(chat.request.body, skill.instance);
  const call = await invokeSkill(services, caller, skill, input, { stream: chat.stream, conversation });
  return { run: call.run, events: call.events, deployment: null, attempts: null, warnings };
}

async function chatWithServerTools(services: CallServices, caller: Caller, model: ModelEntry, chat: ParsedCall): Promise<ChatAnswer> {
  const answer = await chatWithTools(services, caller, model, chat, { callSkill: skillsAsTools(services, caller) });
  return { ...answer, deployment: null, attempts: null };
}

/** Checks the rights and starts the call. Resolves with the first events of the answer. Throws or rejects when the call cannot begin. */
export function routeChat(services: CallServices, caller: Caller, chat: ParsedCall): Promise<ChatAnswer> {
  const name = chat.request.body.model;
  requireToolsToDecide(chat);
  if (name.startsWith('skill/')) return chatWithSkill(services, caller, name.slice('skill/'.length), chat);
  const model = requireModel(caller, name);
  if (hasServerTools(chat)) return chatWithServerTools(services, caller, model, chat);
  if (model.spec.cache !== undefined) return cachedChat(services, caller, model, chat);
  return invokeModel(services, caller, model, chat.request, { stream: chat.stream });
}
