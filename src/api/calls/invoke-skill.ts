/** `skill/<name>`: runs with the rights of its caller, never of its author. */
import type { Run } from '../../telemetry/run.ts';
import type { ChatBody, ChatEvents } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import { booked, endFailed } from './booked.ts';
import { type Caller, requireModel } from './caller.ts';
import { invokeModel, openRun } from './invoke-model.ts';
import type { CallServices } from './services.ts';

export interface SkillCall {
  readonly run: Run;
  readonly events: ChatEvents;
}

/** A skill that the caller was already found to have the right to use. Its inner calls are checked again, each for the same caller. */
export async function invokeSkill(
  services: CallServices,
  caller: Caller,
  skill: SkillEntry,
  input: Json,
  options: { stream: boolean; parent?: Run | null },
): Promise<SkillCall> {
  const capability = `skill/${skill.name}`;
  const parent = options.parent ?? null;
  if (parent !== null && (parent.within(capability) || parent.depth + 1 >= skill.spec.limits.depth)) {
    throw new GatewayError(
      'step_limit_reached',
      `The skill "${skill.name}" would call itself or go deeper than ${skill.spec.limits.depth} levels.`,
    );
  }
  const run = openRun(services, caller, parent, capability, 'skill', options.stream);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(tookTooLong(skill)), skill.spec.limits.total_ms);
  run.onEnd(() => clearTimeout(timer));
  const signal = AbortSignal.any([caller.signal, limit.signal]);
  const inner = { ...caller, signal };
  try {
    const events = await skill.instance.invoke(input, {
      id: run.id,
      principal: caller.principal,
      signal,
      model: `model/${skill.spec.model}`,
      streamed: options.stream,
      invoke: (target, body) => invokeFromSkill(services, inner, target, body, run),
    });
    return { run, events: booked(run, null, events) };
  } catch (thrown) {
    const error: unknown = limit.signal.aborted && !caller.signal.aborted ? limit.signal.reason : thrown;
    endFailed(run, error);
    throw error;
  }
}

function tookTooLong(skill: SkillEntry): GatewayError {
  return new GatewayError('upstream_timeout', `The skill "${skill.name}" took longer than its ${skill.spec.limits.total_ms} ms.`);
}

async function invokeFromSkill(services: CallServices, caller: Caller, target: string, body: JsonObject, parent: Run): Promise<ChatEvents> {
  if (!target.startsWith('model/'))
    throw new GatewayError('internal_error', `A skill called ${target}; skills can call models only so far.`);
  const model = requireModel(caller, target.slice('model/'.length));
  const chat = { ...body, model: model.name } as unknown as ChatBody;
  const call = await invokeModel(services, caller, model, { body: chat }, { stream: chat.stream === true, parent });
  return call.events;
}
