/** A program that takes more memory than it may is ended; the next call starts it again. */
import { readFile } from 'node:fs/promises';
import type { Logger } from '../../../../types/logger.ts';

const lookMs = 1_000;
const pageBytes = 4_096;

/** Looks at the process until it ends, where the system tells (Linux). Returns the way to stop. */
export function limitMemory(pid: number, mostMb: number, logger: Logger): () => void {
  const look = async (): Promise<void> => {
    const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => null);
    // Gone: its number may soon be another process's.
    if (text === null) clearInterval(timer);
    const resident = Number(text?.split(' ')[1] ?? 0) * pageBytes;
    if (resident <= mostMb * 1_048_576) return;
    logger.warn(
      { pid, mb: Math.round(resident / 1_048_576), memory_mb: mostMb },
      'an MCP program takes more memory than it may; it is ended',
    );
    process.kill(pid, 'SIGKILL');
  };
  const timer = setInterval(() => {
    // It may be gone between the look and the end.
    look().catch(() => {});
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
