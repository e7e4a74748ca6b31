/** Starts a run that continues after its request: re-checks permissions during the run and registers it as a background run. */
import { setImmediate } from 'node:timers/promises';
import type { RunView } from '../../models/client-formats/skill-run.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent } from '../../types/chat.ts';
import type { GatewayError } from '../../types/errors.ts';
import type { Json } from '../../types/json.ts';
import type { HeldSnapshot, SkillEntry } from '../../types/snapshot.ts';
import type { Caller } from '../caller.ts';
import type { CallServices } from '../services.ts';
import { invokeSkill } from '../skills/invoke-skill.ts';

/** The view of a run of this skill, for every client format. */
export function runViewOf(skill: SkillEntry, run: Run): RunView {
  const typed = skill.instance.describe().outputSchema !== null;
  return { id: run.id, skill: skill.name, version: skill.spec.version, typed, spent: () => run.spent.usage };
}

/** The same caller, independent of its connection. */
function detached(caller: Caller, controller: AbortController): Caller {
  return { ...caller, signal: controller.signal, setHeaders: () => {} };
}

/** The parts of the request that the run needs. */
export interface BackgroundStart {
  /** The memory reserved by the request. Disposed when the run has ended. */
  readonly room: Disposable | null;
  /** The caller's configuration. Released when the run has ended, so that a change does not close its connections earlier. */
  readonly snapshot: Pick<HeldSnapshot, 'release'> | null;
  /** Re-checks the caller's permissions during the run and calls `end` when one is lost. Returns a function that stops it. */
  readonly watch: (end: (why: GatewayError) => void) => () => void;
}

/** Resolves with the id of a run that continues after the request. Throws failures that occur before the run has begun. */
export async function startInBackground(
  services: CallServices,
  caller: Caller,
  skill: SkillEntry,
  input: Json,
  { room, snapshot, watch }: BackgroundStart,
): Promise<string> {
  using held = new DisposableStack();
  held.use(room);
  held.defer(() => snapshot?.release());
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
