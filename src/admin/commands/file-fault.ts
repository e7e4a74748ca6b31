/** Plain sentences for files that a command cannot read. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  EACCES: 'this user may not read it',
  EISDIR: 'is a folder; name a file',
};

/** The fault of a file, or null for an error that is not one of the file system. */
export function fileFault(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return null;
  const reason = reasons[String(thrown.code)] ?? thrown.message;
  return 'path' in thrown ? `${String(thrown.path)}: ${reason}` : reason;
}
