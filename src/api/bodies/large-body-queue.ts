/** Parses large bodies one at a time in slices, with turns per person, so that small requests proceed. */
import { parseJsonInSlices, type ParsedJson } from '../../models/json-slices.ts';

export interface LargeBodyQueue {
  /** Never calls back synchronously. */
  parse(person: string, bytes: Buffer, done: (error: Error | null, parsed?: ParsedJson) => void): void;
}

export interface LargeBodyQueueOptions {
  readonly maxDepth: number;
  readonly slice?: number;
  /** Milliseconds after which the parser yields to the event loop. */
  readonly turnMs?: number;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly done: (error: Error | null, parsed?: ParsedJson) => void;
}

/** The longest pause after a body, in milliseconds. */
const longestRestMs = 500;

export function createLargeBodyQueue({ maxDepth, slice = 65_536, turnMs = 4 }: LargeBodyQueueOptions): LargeBodyQueue {
  /** Waiting bodies by person, in the order of turns. */
  const queues = new Map<string, Waiting[]>();
  let isBusy = false;

  const next = (): void => {
    const [first] = queues;
    if (first === undefined) {
      isBusy = false;
      return;
    }
    const [person, queue] = first;
    const waiting = queue.shift() as Waiting;
    queues.delete(person);
    if (queue.length > 0) queues.set(person, queue);
    const steps = parseJsonInSlices(waiting.bytes, maxDepth, slice);
    let worked = 0;

    /** The work that follows a body counts too: the queue pauses for as long as both took. */
    const finish = (error: Error | null, parsed?: ParsedJson): void => {
      const since = performance.now();
      waiting.done(error, parsed);
      setImmediate(() => setTimeout(next, Math.min(worked + performance.now() - since, longestRestMs)));
    };
    const turn = (): void => {
      const since = performance.now();
      let step: ReturnType<typeof steps.next>;
      try {
        do step = steps.next();
        while (step.done !== true && performance.now() - since < turnMs);
      } catch (thrown) {
        worked += performance.now() - since;
        finish(thrown as Error);
        return;
      }
      worked += performance.now() - since;
      if (step.done === true) finish(null, step.value);
      else setImmediate(turn);
    };
    turn();
  };

  return {
    parse(person, bytes, done) {
      const queue = queues.get(person);
      if (queue === undefined) queues.set(person, [{ bytes, done }]);
      else queue.push({ bytes, done });
      if (isBusy) return;
      isBusy = true;
      setImmediate(next);
    },
  };
}
