/** Background runs of skills. Each runs on one node, is visible on every node, and is stored for an hour after its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  completedRun,
  failedRun,
  gatherRun,
  progressEvents,
  type RunView,
  startedRun,
  endedSteps,
} from '../../models/client-formats/skill-run.ts';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { ChatEvents, StepRecord } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { Logger } from '../../types/logger.ts';
import { createRunEventLog, type RunEventLog, type RunEvent } from './run-event-log.ts';
import { createCrossNodeRuns } from './cross-node-runs.ts';

interface BackgroundRun {
  readonly owner: ToolLoopOwner;
  readonly view: RunView;
  readonly eventLog: RunEventLog;
  readonly steps: StepRecord[];
  readonly controller: AbortController;
  /** True when other nodes have all its steps. */
  announced: boolean;
  /** The stored end; null while the run is in progress. */
  end: JsonObject | null;
}

export interface BackgroundRuns {
  /** Takes over a run that has begun and stores its end. `controller` aborts it. Resolves when every node can find it, or when publishing it fails. */
  adopt(owner: ToolLoopOwner, view: RunView, events: ChatEvents, controller: AbortController): Promise<void>;
  /** Reserves a slot and returns its release. Throws `rate_limited` when this person has too many runs. */
  admit(owner: ToolLoopOwner): () => void;
  /** The state of a run on any node. Null for a run that is unknown, of another owner, or older than an hour. */
  find(owner: ToolLoopOwner, id: string): Promise<JsonObject | null>;
  /**
   * All events from the beginning to the end. For a run on another node: its start, its steps and its end. Null for an unknown run.
   * Throws the signal's reason when the listener loses its permission.
   */
  follow(owner: ToolLoopOwner, id: string, signal: AbortSignal): Promise<AsyncIterable<readonly RunEvent[]> | null>;
  /** Aborts a run on any node; on another node within a second or two. */
  cancel(owner: ToolLoopOwner, id: string): Promise<'cancelling' | 'ended' | 'unknown'>;
  /** Aborts all runs. Resolves when their ends are stored. */
  close(): Promise<void>;
}

/** The maximum number of concurrent runs of one person on one node. */
const mostPerPerson = 20;
/** The maximum number of steps that are published for a run in progress. */
const mostSteps = 200;
const tickMs = 1_000;
/** The number of ticks between heartbeats of this node's runs. */
const ticksPerHeartbeat = 5;
/** The pauses between attempts to store the end of a run. */
const pausesMs = [200, 1_000, 5_000, 30_000, 60_000];

const isSame = (one: ToolLoopOwner, other: ToolLoopOwner): boolean =>
  one.tenant === other.tenant && one.issuer === other.issuer && one.subject === other.subject;
const cancelled = (): GatewayError => new GatewayError('client_closed_request', 'The run was cancelled.');
const stateOf = ({ view, steps }: BackgroundRun): JsonObject => ({ ...startedRun(view), steps: endedSteps(steps) });

export function createBackgroundRuns(states: ToolLoopStates, logger: Logger): BackgroundRuns {
  const elsewhere = createCrossNodeRuns(states);
  const live = new Map<string, BackgroundRun>();
  const working = new Set<Promise<void>>();
  /** Slots of runs in progress and of runs that are about to begin. */
  const slots = new Set<ToolLoopOwner>();
  const closing = new AbortController();
  let ticks = 0;
  let ticking: Promise<void> | null = null;
  let announcing: Promise<void> = Promise.resolve();

  const ownRun = (owner: ToolLoopOwner, id: string): BackgroundRun | null => {
    const run = live.get(id);
    return run !== undefined && isSame(run.owner, owner) ? run : null;
  };
  const logPublishFailure = (thrown: unknown): void =>
    logger.debug({ err: thrown }, 'the state of background runs cannot be published to other nodes; trying again');

  const publishState = (run: BackgroundRun): Promise<void> => {
    run.announced = true;
    return elsewhere.publishAlive(run.owner, stateOf(run));
  };

  /** Publishes the state of the runs and checks whether another node requested a cancellation. */
  const tick = async (): Promise<void> => {
    const isHeartbeat = ticks++ % ticksPerHeartbeat === 0;
    for (const run of live.values()) {
      if (run.end !== null) continue;
      if (await elsewhere.isCancelRequested(run.owner, run.view.id)) run.controller.abort(cancelled());
      else if ((isHeartbeat || !run.announced) && run.end === null) await publishState(run);
    }
  };
  const timer = setInterval(() => {
    if (live.size === 0 || ticking !== null) return;
    ticking = tick()
      .catch(logPublishFailure)
      .finally(() => (ticking = null));
  }, tickMs).unref();

  /** Publishes the run before the first heartbeat, so that other nodes find it. */
  const announce = (run: BackgroundRun): Promise<void> => (announcing = announcing.then(() => publishState(run)).catch(logPublishFailure));

  /** Until it is stored, only this node knows the end. */
  const storeEnd = async ({ owner, view: { id } }: BackgroundRun, end: JsonObject): Promise<void> => {
    for (const pause of [...pausesMs, null]) {
      try {
        return await elsewhere.publishEnd(owner, end);
      } catch (thrown) {
        if (pause === null || closing.signal.aborted)
          return logger.warn({ err: thrown, run: id }, 'the end of a background run cannot be stored');
        await sleep(pause, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };
  const finish = async (run: BackgroundRun, end: JsonObject): Promise<void> => {
    run.end = end;
    run.eventLog.end({ name: end['status'] as string, data: end });
    // A heartbeat in progress must not overwrite the end.
    await Promise.all([ticking, announcing]);
    await storeEnd(run, end);
    // Followers have received the end; later requests find the stored one.
    live.delete(run.view.id);
  };
  const work = async (run: BackgroundRun, events: ChatEvents): Promise<void> => {
    const collected = gatherRun();
    try {
      for await (const batch of events) {
        collected.add(batch);
        const steps = batch.flatMap((event) => (event.type === 'step' ? [event.step] : []));
        run.steps.push(...steps);
        run.steps.splice(0, run.steps.length - mostSteps);
        if (steps.length > 0) run.announced = false;
        const progress = progressEvents(batch);
        if (progress.length > 0) run.eventLog.add(progress);
      }
      await finish(run, completedRun(run.view, collected.done()));
    } catch (thrown) {
      await finish(run, failedRun(run.view, run.controller.signal.aborted ? run.controller.signal.reason : thrown));
    }
  };

  return {
    admit(owner) {
      const ofOwner = [...slots].filter((each) => isSame(each, owner)).length;
      if (ofOwner >= mostPerPerson)
        throw new GatewayError(
          'rate_limited',
          `${mostPerPerson} of your background runs are already active. Wait for one, or cancel one.`,
          {
            retryAfterSeconds: 5,
          },
        );
      const room = { ...owner };
      slots.add(room);
      return () => void slots.delete(room);
    },
    adopt(owner, view, events, controller) {
      const eventLog = createRunEventLog({ name: 'started', data: startedRun(view) });
      const run: BackgroundRun = { owner, view, eventLog, steps: [], controller, announced: true, end: null };
      live.set(view.id, run);
      const announced = announce(run);
      const done: Promise<void> = Promise.all([announced, work(run, events)]).then(() => void working.delete(done));
      working.add(done);
      return Promise.race([announced, sleep(tickMs, undefined, { ref: false })]);
    },
    async find(owner, id) {
      const run = ownRun(owner, id);
      return run === null ? elsewhere.read(owner, id) : (run.end ?? stateOf(run));
    },
    async follow(owner, id, signal) {
      const run = ownRun(owner, id);
      if (run !== null) return run.eventLog.follow(signal);
      const state = await elsewhere.read(owner, id);
      return state === null ? null : elsewhere.follow(owner, state, signal);
    },
    async cancel(owner, id) {
      const run = ownRun(owner, id);
      if (run === null) {
        const state = await elsewhere.read(owner, id);
        if (state?.['status'] !== 'running') return state === null ? 'unknown' : 'ended';
        await elsewhere.requestCancel(owner, id);
        return 'cancelling';
      }
      if (run.end !== null) return 'ended';
      run.controller.abort(cancelled());
      return 'cancelling';
    },
    async close() {
      clearInterval(timer);
      closing.abort();
      for (const run of live.values())
        run.controller.abort(new GatewayError('internal_error', 'The node was stopped before the run had ended.'));
      await Promise.all(working);
    },
  };
}
