/** The ledger of a worker: every record goes to the primary process, which writes the ledger, and so does every call that begins. */
import type { Ledger, OpenRun } from '../types/run.ts';
import type { WorkerMessage } from './messages.ts';

/** Calls that may last: their progress is sent at this interval, in milliseconds. */
const progressEveryMs = 2_000;
/** Runs per turn of the event loop. */
const atOnce = 200;

export interface WorkerLedger extends Required<Ledger>, Disposable {}

export function createWorkerLedger(send: (message: WorkerMessage) => void): WorkerLedger {
  /** The runs in progress that may last. */
  const lasting = new Map<string, OpenRun>();

  const report = (runs: MapIterator<OpenRun>): void => {
    for (let count = 0; count < atOnce; count++) {
      const next = runs.next();
      if (next.done === true) return;
      send(['run-open', next.value.snapshot()]);
    }
    setImmediate(report, runs);
  };
  const timer = setInterval(() => report(lasting.values()), progressEveryMs).unref();

  return {
    opened: (run) => send(['run-open', run.snapshot()]),
    begun(run) {
      if (lasting.has(run.id)) return;
      lasting.set(run.id, run);
      send(['run-open', run.snapshot()]);
      send(['run-begun', run.id]);
    },
    record(run) {
      lasting.delete(run.id);
      send(['run-ended', run]);
    },
    content: (id, days, content) => send(['content', id, days, content]),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
