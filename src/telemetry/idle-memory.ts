/** Returns memory to the system when a process becomes idle, in one collection at a known time. */

/** What the decision reads and does; a process gives its own, a test scripted ones. */
export interface IdleProcess {
  /** CPU time since the last look, as a share of the elapsed time. */
  busyShare(): number;
  /** Bytes of the heap, used and free. */
  heapBytes(): number;
  /** Collects garbage and returns free memory. */
  collect(): void;
  /** Lets V8 decide too when to collect in an idle process, from now on: that cannot be taken back safely. */
  leaveToEngine(): void;
}

/** Looks over which the process must have been idle before it first collects: what its start used. */
const looksAfterStart = 3;
/** The same after work. A collected heap costs the next calls several collections until it has grown again, so short breaks are no reason. */
const looksAfterWork = 15;
/**
 * Timers of an idle gateway take less on average; one look alone may find one that writes to thousands of open streams. CPU time, unlike the
 * time in which the loop is busy, does not grow with the load of the machine.
 */
const idleShare = 0.03;
/** A heap that grew by less is not worth a pause. */
const worthwhileBytes = 16 * 1024 * 1024;
/** More live memory is left to V8, which collects it in small steps. In one piece the pause would be felt: it grows with what lives, not with the garbage. */
const mostLive = 256 * 1024 * 1024;

/** Call `look` at regular intervals. */
export function createIdleMemory(process: IdleProcess): { look(): void } {
  /** Of the last looks, the latest first. */
  let shares: number[] = [];
  /** Bytes that the last collection left; null before the first. */
  let kept: number | null = null;
  return {
    look() {
      const looks = kept === null ? looksAfterStart : looksAfterWork;
      const share = process.busyShare();
      shares = [share, ...shares].slice(0, looks);
      const busy = shares.reduce((sum, each) => sum + each, 0) / looks;
      // Work that has just begun would wait for the pause.
      if (shares.length < looks || busy >= idleShare || share >= idleShare) return;
      const heap = process.heapBytes();
      const isLarge = (kept ?? heap) > mostLive;
      if (isLarge) process.leaveToEngine();
      if (isLarge || heap < (kept ?? 0) + worthwhileBytes) return;
      process.collect();
      kept = process.heapBytes();
      shares = [];
    },
  };
}
