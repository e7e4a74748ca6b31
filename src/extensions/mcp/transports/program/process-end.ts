/** The end of a program that was killed. The SDK sends the signal and does not wait. */
import { setTimeout as delay } from 'node:timers/promises';

const lookMs = 10;
/** A program that waits for a device does not end. */
const patienceMs = 2_000;

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when no process has this id, and after two seconds at the latest. */
export async function processEnd(pid: number): Promise<void> {
  for (const start = performance.now(); isThere(pid) && performance.now() - start < patienceMs;) await delay(lookMs);
}
