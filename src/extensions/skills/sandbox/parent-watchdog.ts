/** A thread that ends the subprocess when its parent is gone or its memory limit is exceeded. */
import { workerData } from 'node:worker_threads';

const lookMs = 50;
const { parent, mostMb } = workerData as { readonly parent: number; readonly mostMb: number };

setInterval(() => {
  if (process.ppid !== parent || process.memoryUsage.rss() > mostMb * 1_048_576) process.kill(process.pid, 'SIGKILL');
}, lookMs);
