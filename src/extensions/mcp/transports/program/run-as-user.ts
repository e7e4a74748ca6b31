/** Switches to another system user, then replaces itself with a program: `run-as-user <uid> <gid> <command> [argument…]`. */
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';

const [uid = '', gid = '', command = '', ...args] = process.argv.slice(2);

/** Searches PATH as a shell does. */
function fileOf(name: string): string {
  if (name.includes('/')) return name;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder; try the next.
    }
  }
  return name;
}

process.setgroups?.([]);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));
process.execve?.(fileOf(command), [command, ...args], process.env);
