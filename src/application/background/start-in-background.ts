/** A run that goes on when its caller has left: started, watched for rights that are taken away, handed to the runs in the background. */
import { setImmediate } from 'node:timers/promises';
import type { RunView } from '../../models/client-formats/skill-run.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent } from '../../types/chat.ts';
import type { GatewayError } from '../../types/errors.ts';
import type { Json } from '../../types/json.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import type { Caller } from '../caller.ts';
import type { CallServices } from '../services.ts';
import { invokeSkill } from '../skills/invoke-skill.ts';

/** How a run of this skill is told, in whichever way. */
export function runViewOf(skill: SkillEntry, run: Run): RunView {
  const typed = skill.instance.describe().outputSchema !== null;
  return { id: run.id, skill: skill.name, version: skill.spec.version, typed, spent: () => run.spent.usage };
}

/** The same caller, whose going away ends nothing. */
function detached(caller: Caller, controller: AbortController): Caller {
  return { ...caller, signal: controller.signal, tell: () => {} };
}

/** What a run needs of the request that starts it. */
export interface BackgroundStart {
  /** The memory that the request reserved; disposed when the run has ended. */
  readonly room: Disposable | null;
  /** Re-checks the caller's permissions while the run goes on, and calls `end` when one is lost. Returns the way to stop. */
  readonly watch: (end: (why: GatewayError) => void) => () => void;
}

/** Resolves with the id of a run that goes on after the request has ended. Throws what fails before the run has begun. */
export async function startInBackground(
  services: CallServices,
  caller: Caller,
  skill: SkillEntry,
  input: Json,
  { room, watch }: BackgroundStart,
): Promise<string> {
  using held = new DisposableStack();
  held.use(room);
  held.defer(services.backgroundRuns.admit(caller.principal));
  const controller = new AbortController();
  const opened = Promise.withResolvers<Run>();
  const call = invokeSkill(services, detached(caller, controller), skill, input, { stream: true, onOpen: opened.resolve });
  let hasFailed = false;
  call.catch((thrown: unknown) => {
    hasFailed = true;
    opened.reject(thrown);
  });
  const run = await opened.promise;
  await setImmediate();
  if (hasFailed) await call;
  held.defer(watch((why) => controller.abort(why)));
  const whole = held.move();
  const events = async function* (): AsyncGenerator<readonly ChatEvent[]> {
    using _held = whole;
    yield* (await call).events;
  };
  await services.backgroundRuns.adopt(caller.principal, runViewOf(skill, run), events(), controller);
  return run.id;
}
