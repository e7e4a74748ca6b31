/** Runs of skills that nobody waits for: under way on this node, then kept for an hour for any node to tell. */
import { completedRun, failedRun, gatherRun, progressEvents, type RunFace } from '../../models/faces/skill-run.ts';
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import type { ChatEvents } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { Logger } from '../../types/logger.ts';

export interface RunNews {
  readonly name: string;
  readonly data: JsonObject;
}

interface LiveRun {
  readonly owner: StateOwner;
  readonly face: RunFace;
  readonly news: RunNews[];
  /** So much of the oldest news is not kept any more. */
  dropped: number;
  readonly controller: AbortController;
  /** Called with each piece of news. */
  readonly listeners: Set<() => void>;
  ended: boolean;
}

export interface LiveRuns {
  /** Takes a run over that has begun; its end is kept. `controller` ends it. Throws `rate_limited` if too many of this person are under way. */
  adopt(owner: StateOwner, face: RunFace, events: ChatEvents, controller: AbortController): void;
  /** Throws `rate_limited` where no more may begin. */
  admit(owner: StateOwner): void;
  /** As it stands; null for one that is unknown, somebody else's, or older than an hour. */
  find(owner: StateOwner, id: string): Promise<JsonObject | null>;
  /** All news from the beginning, until it ends; null where it is not under way on this node. */
  follow(owner: StateOwner, id: string): AsyncIterable<readonly RunNews[]> | null;
  /** False where none of that id is under way for this person on this node. */
  cancel(owner: StateOwner, id: string): boolean;
  /** Ends all; resolves when their ends are kept. */
  close(): Promise<void>;
}

/** For one person at a time, on one node. */
const mostOfOne = 20;
/** Of the oldest news of a long text, only the sum is worth keeping: `completed` has all of it. */
const mostNews = 5_000;

const startOf = ({ id, skill, version }: RunFace): JsonObject => ({ id, object: 'skill.run', skill, version, status: 'running' });
const keyOf = (id: string): string => `run ${id}`;
const isSame = (one: StateOwner, other: StateOwner): boolean =>
  one.tenant === other.tenant && one.issuer === other.issuer && one.subject === other.subject;

export function createLiveRuns(states: ChatStates, logger: Logger): LiveRuns {
  const live = new Map<string, LiveRun>();
  const working = new Set<Promise<void>>();

  const own = (owner: StateOwner, id: string): LiveRun | null => {
    const run = live.get(id);
    return run !== undefined && isSame(run.owner, owner) ? run : null;
  };
  const tell = (run: LiveRun, news: readonly RunNews[]): void => {
    run.news.push(...news);
    const surplus = run.news.length - mostNews;
    if (surplus > 0) {
      run.news.splice(0, surplus);
      run.dropped += surplus;
    }
    for (const listener of run.listeners) listener();
  };
  const admit = (owner: StateOwner): void => {
    const mine = [...live.values()].filter((run) => !run.ended && isSame(run.owner, owner)).length;
    if (mine >= mostOfOne)
      throw new GatewayError('rate_limited', `${mostOfOne} of your runs are under way already. Wait for one, or cancel one.`, {
        retryAfterSeconds: 5,
      });
  };

  const finish = async (run: LiveRun, end: JsonObject): Promise<void> => {
    run.ended = true;
    tell(run, [{ name: end['status'] as string, data: end }]);
    try {
      await states.keep(run.owner, [keyOf(run.face.id)], end);
    } catch (thrown) {
      logger.warn({ err: thrown, run: run.face.id }, 'the end of a run cannot be kept');
    }
    // Whoever follows it has heard the end; whoever asks later finds what was kept.
    live.delete(run.face.id);
  };
  const work = async (run: LiveRun, events: ChatEvents): Promise<void> => {
    const gathered = gatherRun();
    try {
      for await (const batch of events) {
        gathered.add(batch);
        const news = progressEvents(batch);
        if (news.length > 0) tell(run, news);
      }
      await finish(run, completedRun(run.face, gathered.done()));
    } catch (thrown) {
      await finish(run, failedRun(run.face, run.controller.signal.aborted ? run.controller.signal.reason : thrown));
    }
  };

  return {
    admit,
    adopt(owner, face, events, controller) {
      const started = { name: 'started', data: startOf(face) };
      const run: LiveRun = { owner, face, news: [started], dropped: 0, controller, listeners: new Set(), ended: false };
      live.set(face.id, run);
      const done: Promise<void> = work(run, events).finally(() => working.delete(done));
      working.add(done);
    },
    async find(owner, id) {
      const run = own(owner, id);
      if (run !== null) return run.ended ? (run.news.at(-1)?.data ?? null) : startOf(run.face);
      return (await states.read(owner, [keyOf(id)])).get(keyOf(id)) ?? null;
    },
    follow(owner, id) {
      const run = own(owner, id);
      if (run === null) return null;
      return (async function* () {
        let told = 0;
        for (;;) {
          const fresh = run.news.slice(Math.max(0, told - run.dropped));
          told = run.dropped + run.news.length;
          if (fresh.length > 0) yield fresh;
          // More may have come while the caller read.
          if (told < run.dropped + run.news.length) continue;
          if (run.ended) return;
          await new Promise<void>((resolve) => {
            const heard = (): void => {
              run.listeners.delete(heard);
              resolve();
            };
            run.listeners.add(heard);
          });
        }
      })();
    },
    cancel(owner, id) {
      const run = own(owner, id);
      if (run === null || run.ended) return false;
      run.controller.abort(new GatewayError('client_closed_request', 'The run was cancelled.'));
      return true;
    },
    async close() {
      for (const run of live.values())
        run.controller.abort(new GatewayError('internal_error', 'The node was stopped before the run had ended.'));
      await Promise.all(working);
    },
  };
}
