/** Where a chat request goes: straight to a model, through the tool loop, or to a skill. */
import { runToolLoop } from '../../extensions/tool-loop.ts';
import { serverToolRequests } from '../../extensions/tool-requests.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvents } from '../../types/chat.ts';
import { booked, endFailed } from './booked.ts';
import { cachedChat } from './cached-chat.ts';
import { type Caller, requireModel, requireSkill } from './caller.ts';
import type { ParsedCall } from './chat-body.ts';
import { invokeModel, openRun } from './invoke-model.ts';
import { invokeSkill } from './invoke-skill.ts';
import { invokeTool } from './invoke-tool.ts';
import { resolveServerTools } from './server-tools.ts';
import type { CallServices } from './services.ts';
import { skillInput } from './skill-input.ts';

export interface ChatAnswer {
  readonly run: Run;
  readonly events: ChatEvents;
  /** Null where several calls make the answer. */
  readonly deployment: string | null;
  readonly attempts: number | null;
  /** What the vendor's dialect had to leave out or change. */
  readonly warnings: readonly string[];
}

/** Checks the rights and starts the call. Resolves when the first of the answer is there. */
export async function routeChat(services: CallServices, caller: Caller, chat: ParsedCall): Promise<ChatAnswer> {
  const name = chat.request.body.model;
  if (name.startsWith('skill/')) {
    const skill = requireSkill(caller, name.slice('skill/'.length));
    const call = await invokeSkill(services, caller, skill, skillInput(chat.request.body), { stream: chat.stream });
    return { run: call.run, events: call.events, deployment: null, attempts: null, warnings: [] };
  }
  const model = requireModel(caller, name);
  const wanted = serverToolRequests(chat.request.body);
  if (wanted.length > 0) return loop(services, caller, chat, model.name);
  if (model.spec.cache !== undefined) return cachedChat(services, caller, model, chat);
  return invokeModel(services, caller, model, chat.request, { stream: chat.stream });
}

async function loop(services: CallServices, caller: Caller, chat: ParsedCall, name: string): Promise<ChatAnswer> {
  const model = requireModel(caller, name);
  const tools = await resolveServerTools(services, caller, serverToolRequests(chat.request.body));
  const run = openRun(services, caller, null, `model/${name}`, 'tool-loop', chat.stream);
  /** Those of the first model call; later ones ask for no more than it. */
  const warnings: string[] = [];
  try {
    const events = await runToolLoop({
      request: chat.request,
      principal: caller.principal,
      tools,
      ...(chat.maxSteps === undefined ? {} : { maxSteps: chat.maxSteps }),
      signal: caller.signal,
      callModel: async (request) => {
        const call = await invokeModel(services, caller, model, request, { stream: chat.stream, parent: run });
        if (warnings.length === 0) warnings.push(...call.warnings);
        return call;
      },
      callTool: (tool, input, signal) => invokeTool(services, caller, tool.server, tool.definition.name, input, { parent: run, signal }),
    });
    return { run, events: booked(run, null, events), deployment: null, attempts: null, warnings };
  } catch (thrown) {
    endFailed(run, thrown);
    throw thrown;
  }
}
