/**
 * Watches this process with `createIdleMemory`. V8's own collection of an idle heap comes up to half a minute after a load, twice, and the
 * next calls wait for its pauses. Until then, a gateway that has just started holds 60 MB of empty young generation.
 */
import { flushCompileCache } from 'node:module';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isCodeKept, noteCodeKept } from './compiled-code.ts';
import { leaveIdleHeapToEngine } from './heap-flags.ts';
import { createIdleMemory } from './idle-memory.ts';
import { trimNativeMemory } from './trim-native-memory.ts';

const lookMs = 1_000;

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;
let collector: Collect | null = null;

/** Collects all garbage and returns free memory to the system. Holds the process meanwhile. */
export function collectHeap(): void {
  if (collector === null) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as Collect;
  }
  // V8 forgets the shape of objects when none of them is alive. Without a waiting tick, each later tick would take seven times as long.
  process.nextTick(() => {});
  collector({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Watches for the rest of the process's life. Does not keep the process alive. Needs `setHeapFlags` at the start of the process. */
export function startIdleMemory(): void {
  const isKept = isCodeKept();
  if (!isKept) process.once('exit', noteCodeKept);
  let cpu = process.cpuUsage();
  let at = performance.now();
  const memory = createIdleMemory({
    busyShare() {
      const { user, system } = process.cpuUsage(cpu);
      const now = performance.now();
      const share = (user + system) / 1_000 / (now - at);
      cpu = process.cpuUsage();
      at = now;
      return share;
    },
    heapBytes: () => getHeapStatistics().total_heap_size,
    collect() {
      // Frees what was read of it. What a first start compiled is written at its end, where it holds no call.
      if (isKept) flushCompileCache();
      collectHeap();
      trimNativeMemory();
    },
    leaveToEngine: leaveIdleHeapToEngine,
  });
  setInterval(() => memory.look(), lookMs).unref();
}
