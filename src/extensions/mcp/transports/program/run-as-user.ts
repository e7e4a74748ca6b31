/** Becomes another user of the system, then the program that it was told to start: `run-as-user <uid> <gid> <command> [argument…]`. */
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';

const [uid = '', gid = '', command = '', ...args] = process.argv.slice(2);

/** As a shell would find it. */
function fileOf(name: string): string {
  if (name.includes('/')) return name;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next folder.
    }
  }
  return name;
}

process.setgroups?.([]);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));
process.execve?.(fileOf(command), [command, ...args], process.env);
