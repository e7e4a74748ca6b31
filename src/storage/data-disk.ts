/** The disk of the data folder: how much is free, and why nothing can be written there. */
import { access, constants, statfs } from 'node:fs/promises';

/** Below this number of free bytes no batch of records fits. */
const leastFree = 1024 * 1024;

export interface DataDisk {
  /** Null when unknown. */
  freeBytes(): Promise<number | null>;
  /** Why nothing can be written, with the remedy; null when it can. */
  problem(): Promise<string | null>;
}

export function createDataDisk(folder: string): DataDisk {
  const stats = () => statfs(folder).catch(() => null);
  return {
    async freeBytes() {
      const found = await stats();
      return found === null ? null : found.bavail * found.bsize;
    },
    async problem() {
      const isWritable = await access(folder, constants.W_OK).then(
        () => true,
        () => false,
      );
      if (!isWritable) return 'The data folder cannot be written. Mount it with write access for the user of this process.';
      const found = await stats();
      if (found === null) return null;
      const free = found.bavail * found.bsize;
      if (free < leastFree)
        return `The disk of the data folder is full (${free} bytes free). Free space or enlarge it; the node is ready again by itself.`;
      // Some file systems have no fixed number of files.
      if (found.files > 0 && found.ffree === 0)
        return 'The disk of the data folder has no free inodes. Delete files; the node is ready again by itself.';
      return null;
    },
  };
}
