/** Runs of skills in the background, for which nobody waits: under way on one node, told of by every node, then kept for an hour. */
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
  readonly face: RunView;
  readonly news: RunEventLog;
  readonly steps: StepRecord[];
  readonly controller: AbortController;
  /** Other nodes have heard of all its steps. */
  announced: boolean;
  /** Null while it is under way. */
  end: JsonObject | null;
}

export interface BackgroundRuns {
  /**
   * Takes a run over that has begun; its end is kept. `controller` ends it. Resolves when it can be asked for at any node, or where they
   * cannot be told of it soon.
   */
  adopt(owner: ToolLoopOwner, face: RunView, events: ChatEvents, controller: AbortController): Promise<void>;
  /** Room for one more, until it is given back. Throws `rate_limited` where too many of this person are under way. */
  admit(owner: ToolLoopOwner): () => void;
  /** As it stands, wherever it runs; null for one that is unknown, somebody else's, or older than an hour. */
  find(owner: ToolLoopOwner, id: string): Promise<JsonObject | null>;
  /** All news from the beginning, until it ends; of a run on another node its beginning, its steps and its end. Null for an unknown one. Throws the signal's reason as soon as the listener may hear no more. */
  follow(owner: ToolLoopOwner, id: string, signal: AbortSignal): Promise<AsyncIterable<readonly RunEvent[]> | null>;
  /** Ends it on whichever node it runs, there within a second or two. */
  cancel(owner: ToolLoopOwner, id: string): Promise<'cancelling' | 'ended' | 'unknown'>;
  /** Ends all; resolves when their ends are kept. */
  close(): Promise<void>;
}

/** For one person at a time, on one node. */
const mostOfOne = 20;
/** Steps that are told of a run under way. */
const mostSteps = 200;
const tickMs = 1_000;
/** Every so many ticks a node says that its runs are alive. */
const ticksOfLife = 5;
/** Between attempts to keep the end of a run. */
const pausesMs = [200, 1_000, 5_000, 30_000, 60_000];

const isSame = (one: ToolLoopOwner, other: ToolLoopOwner): boolean =>
  one.tenant === other.tenant && one.issuer === other.issuer && one.subject === other.subject;
const cancelled = (): GatewayError => new GatewayError('client_closed_request', 'The run was cancelled.');
const standing = ({ face, steps }: BackgroundRun): JsonObject => ({ ...startedRun(face), steps: endedSteps(steps) });

export function createBackgroundRuns(states: ToolLoopStates, logger: Logger): BackgroundRuns {
  const elsewhere = createCrossNodeRuns(states);
  const live = new Map<string, BackgroundRun>();
  const working = new Set<Promise<void>>();
  /** Of runs under way, and of those that are about to begin. */
  const rooms = new Set<ToolLoopOwner>();
  const closing = new AbortController();
  let ticks = 0;
  let ticking: Promise<void> | null = null;
  let announcing: Promise<void> = Promise.resolve();

  const own = (owner: ToolLoopOwner, id: string): BackgroundRun | null => {
    const run = live.get(id);
    return run !== undefined && isSame(run.owner, owner) ? run : null;
  };
  const unheard = (thrown: unknown): void =>
    logger.debug({ err: thrown }, 'runs in the background cannot be told of to other nodes; trying again');

  const tellStanding = (run: BackgroundRun): Promise<void> => {
    run.announced = true;
    return elsewhere.tellAlive(run.owner, standing(run));
  };

  /** Says how the runs stand, and hears whether somebody ended one at another node. */
  const tick = async (): Promise<void> => {
    const isBeat = ticks++ % ticksOfLife === 0;
    for (const run of live.values()) {
      if (run.end !== null) continue;
      if (await elsewhere.isAskedToCancel(run.owner, run.face.id)) run.controller.abort(cancelled());
      else if ((isBeat || !run.announced) && run.end === null) await tellStanding(run);
    }
  };
  const timer = setInterval(() => {
    if (live.size === 0 || ticking !== null) return;
    ticking = tick()
      .catch(unheard)
      .finally(() => (ticking = null));
  }, tickMs).unref();

  /** For whoever asks at another node before the first beat. */
  const announce = (run: BackgroundRun): Promise<void> => (announcing = announcing.then(() => tellStanding(run)).catch(unheard));

  /** Until it is kept, this node alone knows the end. */
  const keepEnd = async ({ owner, face: { id } }: BackgroundRun, end: JsonObject): Promise<void> => {
    for (const pause of [...pausesMs, null]) {
      try {
        return await elsewhere.tellEnd(owner, end);
      } catch (thrown) {
        if (pause === null || closing.signal.aborted) return logger.warn({ err: thrown, run: id }, 'the end of a run cannot be kept');
        await sleep(pause, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };
  const finish = async (run: BackgroundRun, end: JsonObject): Promise<void> => {
    run.end = end;
    run.news.end({ name: end['status'] as string, data: end });
    // A word of its being alive that is under way must not come after its end.
    await Promise.all([ticking, announcing]);
    await keepEnd(run, end);
    // Whoever follows it has heard the end; whoever asks later finds what was kept.
    live.delete(run.face.id);
  };
  const work = async (run: BackgroundRun, events: ChatEvents): Promise<void> => {
    const gathered = gatherRun();
    try {
      for await (const batch of events) {
        gathered.add(batch);
        const steps = batch.flatMap((event) => (event.type === 'step' ? [event.step] : []));
        run.steps.push(...steps);
        run.steps.splice(0, run.steps.length - mostSteps);
        if (steps.length > 0) run.announced = false;
        const news = progressEvents(batch);
        if (news.length > 0) run.news.add(news);
      }
      await finish(run, completedRun(run.face, gathered.done()));
    } catch (thrown) {
      await finish(run, failedRun(run.face, run.controller.signal.aborted ? run.controller.signal.reason : thrown));
    }
  };

  return {
    admit(owner) {
      const mine = [...rooms].filter((each) => isSame(each, owner)).length;
      if (mine >= mostOfOne)
        throw new GatewayError('rate_limited', `${mostOfOne} of your runs are under way already. Wait for one, or cancel one.`, {
          retryAfterSeconds: 5,
        });
      const room = { ...owner };
      rooms.add(room);
      return () => void rooms.delete(room);
    },
    adopt(owner, face, events, controller) {
      const news = createRunEventLog({ name: 'started', data: startedRun(face) });
      const run: BackgroundRun = { owner, face, news, steps: [], controller, announced: true, end: null };
      live.set(face.id, run);
      const announced = announce(run);
      const done: Promise<void> = Promise.all([announced, work(run, events)]).then(() => void working.delete(done));
      working.add(done);
      return Promise.race([announced, sleep(tickMs, undefined, { ref: false })]);
    },
    async find(owner, id) {
      const run = own(owner, id);
      return run === null ? elsewhere.read(owner, id) : (run.end ?? standing(run));
    },
    async follow(owner, id, signal) {
      const run = own(owner, id);
      if (run !== null) return run.news.follow(signal);
      const state = await elsewhere.read(owner, id);
      return state === null ? null : elsewhere.follow(owner, state, signal);
    },
    async cancel(owner, id) {
      const run = own(owner, id);
      if (run === null) {
        const state = await elsewhere.read(owner, id);
        if (state?.['status'] !== 'running') return state === null ? 'unknown' : 'ended';
        await elsewhere.askToCancel(owner, id);
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
