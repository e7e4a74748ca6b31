/** Returns memory to the system when a process becomes idle, in one collection at a known time. */

/** What the decision reads and does; a process gives its own, a test scripted ones. */
export interface IdleProcess {
  /** The share of time in which the event loop worked since the last look, from 0 to 1. */
  busyShare(): number;
  /** Bytes of the heap, used and free. */
  heapBytes(): number;
  /** Collects garbage and returns free memory. */
  collect(): void;
  /** Lets V8 decide when to collect in an idle process, or not. */
  leaveToEngine(own: boolean): void;
}

/** Looks in a row that find the process idle before it collects. */
const idleLooks = 3;
const idleShare = 0.02;
/** A heap that grew by less is not worth a pause. */
const worthwhileBytes = 16 * 1024 * 1024;
/** More live memory is left to V8, which collects it in small steps. In one piece the pause would be felt: it grows with what lives, not with the garbage. */
const mostLive = 256 * 1024 * 1024;

/** Call `look` at regular intervals. */
export function createIdleMemory(process: IdleProcess): { look(): void } {
  let idle = 0;
  /** Bytes that the last collection left; null before the first. */
  let kept: number | null = null;
  return {
    look() {
      idle = process.busyShare() < idleShare ? idle + 1 : 0;
      if (idle < idleLooks) return;
      const heap = process.heapBytes();
      const isLarge = (kept ?? heap) > mostLive;
      process.leaveToEngine(isLarge);
      if (isLarge || heap < (kept ?? 0) + worthwhileBytes) return;
      process.collect();
      kept = process.heapBytes();
      idle = 0;
    },
  };
}
