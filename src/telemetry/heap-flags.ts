/** How V8 manages the heap of a gateway's process. */
import { setFlagsFromString } from 'node:v8';

/** V8 refuses compiled code of a process with other flags: all processes of a gateway have the same. */
export const heapFlags: readonly string[] = [
  // Its own collections of an idle heap come late, twice, and calls wait for them; `startIdleMemory` has another rule.
  '--memory-reducer-gc-count=0',
  // A function that rests for a while would otherwise be compiled anew for the next call.
  '--no-flush-bytecode',
  // Helper threads search for work longer than they collect: little of the young generation survives a call.
  '--no-parallel-scavenge',
  // Its own limit may lie so little above what lives that each collection begins the next: with large bodies, half of a core.
  '--heap-growing-percent=100',
];

/**
 * Call it before anything else is loaded. V8 begins idle collections some seconds after a start. Lowering their count after that ends the
 * process.
 */
export function setHeapFlags(): void {
  for (const flag of heapFlags) setFlagsFromString(flag);
}

/** Lets V8 collect a large idle heap in its own small steps, from now on. */
export function leaveIdleHeapToEngine(): void {
  setFlagsFromString('--memory-reducer-gc-count=2');
}
