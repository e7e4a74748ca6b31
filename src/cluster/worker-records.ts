/** The runs of one worker, in the primary process: its records go to the ledger, and what is open when the worker dies is recorded as lost. */
import type { Ledger, RunRecord } from '../types/run.ts';
import type { WorkerMessage } from './messages.ts';

export interface WorkerRecords {
  /** True for a message about runs. */
  receive(message: WorkerMessage): boolean;
  /** The worker has died: records its open runs with the error `node_lost`. Returns their number. */
  lost(): number;
}

export function createWorkerRecords(ledger: Ledger): WorkerRecords {
  const open = new Map<string, RunRecord>();

  return {
    receive(message) {
      switch (message[0]) {
        case 'run-open':
          open.set(message[1].id, message[1]);
          return true;
        case 'run-begun': {
          const [, id] = message;
          let latest = open.get(id);
          if (latest !== undefined) ledger.begun?.({ id, snapshot: () => (latest = open.get(id) ?? (latest as RunRecord)) });
          return true;
        }
        case 'run-ended':
          open.delete(message[1].id);
          ledger.record(message[1]);
          return true;
        case 'content':
          ledger.content?.(message[1], message[2], message[3]);
          return true;
        default:
          return false;
      }
    },
    lost() {
      const runs = [...open.values()];
      open.clear();
      for (const run of runs) ledger.record({ ...run, endedAt: Math.max(run.startedAt, Date.now()) });
      return runs.length;
    },
  };
}
