/** The body of a file that is made while it is sent, or before. Both reject before the response begins when the first part cannot be made. */
import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** Makes the next part when the client has taken the one before. */
export async function sentWhileMade(parts: AsyncGenerator<string>): Promise<Readable> {
  const first = await parts.next();
  async function* all(): AsyncGenerator<string> {
    try {
      if (first.done === true) return;
      yield first.value;
      yield* parts;
    } finally {
      await parts.return(undefined);
    }
  }
  return Readable.from(all());
}

/** Makes all parts at once, on disk, so that none waits for the client. Nothing is left of the file when it was sent, or when the process dies. */
export async function madeBeforeSent(parts: AsyncIterable<string>): Promise<Readable> {
  const path = join(tmpdir(), `pailou-file-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    for await (const part of parts) await file.appendFile(part);
    return file.createReadStream({ start: 0 });
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}
