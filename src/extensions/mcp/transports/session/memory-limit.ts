/** Stops a program that exceeds its memory limit. The next call starts it again. */
import { readFile } from 'node:fs/promises';
import type { Logger } from '../../../../types/logger.ts';

const lookMs = 1_000;
const pageBytes = 4_096;

/** Samples the process's memory until it ends (Linux only). Returns the function that stops the sampling. */
export function limitMemory(pid: number, mostMb: number, logger: Logger): () => void {
  const look = async (): Promise<void> => {
    const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => null);
    // The process has ended; its pid may be reused soon.
    if (text === null) clearInterval(timer);
    const resident = Number(text?.split(' ')[1] ?? 0) * pageBytes;
    if (resident <= mostMb * 1_048_576) return;
    logger.warn({ pid, mb: Math.round(resident / 1_048_576), memory_mb: mostMb }, 'an MCP program exceeds its memory limit and is stopped');
    process.kill(pid, 'SIGKILL');
  };
  const timer = setInterval(() => {
    // The process may end between the sample and the kill.
    look().catch(() => {});
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
