/** The thread that ends a reader's process when its parent is gone, or when it takes more memory than it may. */
import { workerData } from 'node:worker_threads';

const lookMs = 50;
const { parent, mostMb } = workerData as { readonly parent: number; readonly mostMb: number };

setInterval(() => {
  if (process.ppid !== parent || process.memoryUsage.rss() > mostMb * 1_048_576) process.kill(process.pid, 'SIGKILL');
}, lookMs);
