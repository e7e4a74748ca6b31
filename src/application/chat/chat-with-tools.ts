/** A chat with server-side tools: one run with a child run for each model call and each tool call. */
import { runToolLoop } from '../../extensions/tool-loop/loop.ts';
import { serverToolRequests } from '../../extensions/tool-loop/tool-requests.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { recordRun, endRunWithError } from '../models/recorded-run.ts';
import { type Caller, requireRight } from '../caller.ts';
import type { ParsedCall } from './chat-body.ts';
import { invokeModel, openRun } from '../models/invoke-model.ts';
import { type BoundTool, resolveServerTools, type CallSkill } from './resolve-server-tools.ts';
import type { CallServices } from '../services.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

export interface LoopedChat {
  readonly run: Run;
  readonly events: ChatEvents;
  /** Warnings of the first model call. Later calls use the same parameters. */
  readonly warnings: readonly string[];
}

/** Arguments and outputs of a skill's own tools are not for the caller of the skill. */
async function* withoutCalls(events: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  for await (const batch of events) yield batch.map((event) => (event.type === 'step' ? { type: 'step', step: event.step } : event));
}

/** True if Pailou has to execute tools for this request. Throws `invalid_request` for an invalid tool entry. */
export function hasServerTools(chat: ParsedCall): boolean {
  return serverToolRequests(chat.request.body).length > 0;
}

/** The caller must have the right to use `model`. `mayAsk` throws when no further round may begin. Resolves with the first events of the answer. */
export async function chatWithTools(
  services: CallServices,
  caller: Caller,
  model: ModelEntry,
  chat: ParsedCall,
  options: { readonly parent?: Run; readonly callSkill: CallSkill; readonly mayAsk?: () => void },
): Promise<LoopedChat> {
  const resolved = await resolveServerTools(services, caller, serverToolRequests(chat.request.body), options.callSkill);
  // Within a skill no approval can be requested. Such a call fails with a message for the model.
  const tools = options.parent === undefined ? resolved : resolved.map((tool) => ({ ...tool, requiresApproval: false }));
  const run = openRun(services, caller, options.parent ?? null, `model/${model.name}`, 'tool-loop', chat.stream);
  const warnings: string[] = [];
  try {
    const events = await runToolLoop({
      request: chat.request,
      owner: caller.principal,
      states: services.states,
      run: run.id,
      tools,
      ...(chat.maxSteps === undefined ? {} : { maxSteps: chat.maxSteps }),
      decisions: chat.decisions,
      signal: abortSignalOf(caller.signal),
      callModel: async (request) => {
        options.mayAsk?.();
        // The right may have been lost since the start.
        requireRight(caller, 'use', model.capability);
        const checksForm = options.parent !== undefined;
        const call = await invokeModel(services, caller, model, request, { stream: chat.stream, parent: run, checksForm });
        if (warnings.length === 0) warnings.push(...call.warnings);
        return call;
      },
      callTool: (tool, input, context) => (tool as BoundTool).call(input, { ...context, parent: run }),
    });
    return { run, events: recordRun(run, null, options.parent === undefined ? events : withoutCalls(events)), warnings };
  } catch (thrown) {
    endRunWithError(run, thrown);
    throw thrown;
  }
}
