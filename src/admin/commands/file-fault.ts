/** Plain sentences for files that a command cannot read. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  EACCES: 'this user may not read it',
  EISDIR: 'is a folder; name a file',
};

/** The fault of a system call on a file; null for any other error. `place` stands for the file where the error does not name it. */
export function fileFault(thrown: unknown, place: string): string | null {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return null;
  return `${'path' in thrown ? String(thrown.path) : place}: ${reasons[String(thrown.code)] ?? thrown.message}`;
}
