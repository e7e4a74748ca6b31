/** The npm or npx that started this process. It passes SIGTERM on, but a SIGKILL that it gets would leave the gateway with its port. */
import { readFileSync } from 'node:fs';

/** The interval in milliseconds at which the processes above this one are looked for. */
const lookEveryMs = 500;

/** The name and the parent of a process, or null where the system has no `/proc`, or not that process. */
function findProcess(id: number): { readonly name: string; readonly parent: number } | null {
  try {
    const [, name = '', parent = ''] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return null;
  }
}

/** The npm that started `shell`. Null when no shell stands between npm and this process. */
function npmAbove(shell: number): number | null {
  const above = findProcess(shell)?.parent ?? 0;
  return findProcess(above)?.name.startsWith('npm') === true ? above : null;
}

/**
 * Calls back when the npm or npx that started this process has ended, or the shell between them, which on some systems ends at a signal
 * without passing it on.
 */
export function onNpmEnd(ended: () => void): void {
  if (process.env['npm_command'] !== 'exec' && process.env['npm_command'] !== 'start') return;
  const parent = process.ppid;
  const npm = npmAbove(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === null || findProcess(parent)?.parent === npm)) return;
    clearInterval(timer);
    ended();
  }, lookEveryMs).unref();
}
