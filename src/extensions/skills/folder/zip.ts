/** Reads and writes zip files of skill folders. Input is untrusted; output is reproducible. */
import { GatewayError } from '../../../types/errors.ts';
import type { SkillFile } from '../../../types/skill.ts';
import { isLitter, refuseFolder, requirePath, requirePaths } from './folder-paths.ts';

export const mostFiles = 512;
/** Unpacked size of all files. MCP's Skills extension allows 16 MiB. As one configuration row, 16 MiB take 8 s and 1.9 GB of memory to write, and 45 MB of history each time. */
export const mostBytes = 8 * 1024 * 1024;

/** Names are decoded as UTF-8, whatever the zip flags say. */
function nameOf(raw: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    throw refuseFolder('holds a file whose name is not UTF-8');
  }
}

const symlink = 0o120000;
const kindMask = 0o170000;

/** The files of a zip in order, without a single enclosing folder. Throws `invalid_request` with a sentence. */
export async function readZip(bytes: Buffer): Promise<{ readonly files: readonly SkillFile[]; readonly rootFolder: string | null }> {
  const yauzl = await import('yauzl');
  const found: SkillFile[] = [];
  let size = 0;
  try {
    const zip = await yauzl.fromBufferPromise(bytes, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true });
    // Folders are entries too, and macOS adds entries of its own.
    if (zip.entryCount > mostFiles * 4) throw refuseFolder(`holds more than ${mostFiles} files`);
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry.fileNameRaw);
      if (isLitter(name)) continue;
      if (((entry.externalFileAttributes >>> 16) & kindMask) === symlink)
        throw refuseFolder(`holds a link (${JSON.stringify(name.slice(0, 200))}); put the file itself there`);
      if (entry.isEncrypted()) throw refuseFolder('is protected by a password');
      if (name.endsWith('/')) {
        requirePath(name.slice(0, -1));
        continue;
      }
      requirePath(name);
      if (found.length >= mostFiles) throw refuseFolder(`holds more than ${mostFiles} files`);
      size += entry.uncompressedSize;
      if (size > mostBytes) throw refuseFolder(`is larger than ${mostBytes} bytes when unpacked`);
      const parts: Buffer[] = [];
      let read = 0;
      for await (const part of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
        read += part.length;
        // The size in the entry header is untrusted.
        if (read > entry.uncompressedSize || read > mostBytes)
          throw refuseFolder(`holds ${JSON.stringify(name.slice(0, 200))}, which is larger than it says`);
        parts.push(part);
      }
      found.push({ path: name, bytes: Buffer.concat(parts) });
    }
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    throw refuseFolder(
      `cannot be read as a zip file (${thrown instanceof Error ? thrown.message.slice(0, 200) : 'unknown fault'})`,
      thrown,
    );
  }
  requirePaths(found.map(({ path }) => path));
  const roots = new Set(found.map(({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')));
  const [only = ''] = roots;
  if (roots.size !== 1 || only === '') return { files: found, rootFolder: null };
  return { files: found.map(({ path, bytes: own }) => ({ path: path.slice(only.length + 1), bytes: own })), rootFolder: only };
}

/** Equal files give equal bytes: no timestamps, one order. */
export async function writeZip(folder: string, files: readonly SkillFile[]): Promise<Buffer> {
  const { zipSync } = await import('fflate');
  const mtime = new Date(1980, 0, 1);
  const sorted = files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  return Buffer.from(zipSync(Object.fromEntries(sorted.map(({ path, bytes }) => [`${folder}/${path}`, [bytes, { mtime }]]))));
}
