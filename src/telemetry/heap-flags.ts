/** How V8 manages the heap of a gateway's process. */
import { setFlagsFromString } from 'node:v8';

/**
 * Call it before anything else is loaded. V8 begins idle collections some seconds after a start. Lowering their count after that ends the
 * process.
 */
export function setHeapFlags(): void {
  // Its own collections of an idle heap come late, twice, and calls wait for them; `startIdleMemory` has another rule.
  setFlagsFromString('--memory-reducer-gc-count=0');
  // A function that rests for a while would otherwise be compiled anew for the next call.
  setFlagsFromString('--no-flush-bytecode');
  // Helper threads search for work longer than they collect: little of the young generation survives a call.
  setFlagsFromString('--no-parallel-scavenge');
}

/** Lets V8 collect a large idle heap in its own small steps, from now on. */
export function leaveIdleHeapToEngine(): void {
  setFlagsFromString('--memory-reducer-gc-count=2');
}
