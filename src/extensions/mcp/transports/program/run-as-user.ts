/** Switches to another system user, then replaces itself with a program: `run-as-user <uid> <gid> <command> [argument…]`. */
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { userInfo } from 'node:os';

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

/** The home of the current user; the root folder for one that the system does not list. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

process.setgroups?.([]);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));
process.execve?.(fileOf(command), [command, ...args], { ...process.env, HOME: homeOfUser() });
