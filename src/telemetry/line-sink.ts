/** Writes lines to standard output and standard error off the caller's path. A full disk loses lines, and nothing else. */
import { write, writeSync } from 'node:fs';

export interface LineSink {
  /** Takes whole lines with their line breaks. Never throws, and never waits. */
  write(lines: string): void;
  /** Writes what waits, before the process ends. */
  flushSync(): void;
}

/** What a sink needs from the system. */
export interface Descriptor {
  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  writeSync(bytes: Buffer): number;
}

/** Lines that a slow reader keeps waiting; further ones are lost. */
const mostBytes = 16 * 1024 * 1024;
const retryMs = 100;
/** The end of the process waits so often for a reader that takes nothing. */
const lastTries = 10;

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY');

export function createLineSink(descriptor: Descriptor): LineSink {
  let waiting: Buffer[] = [];
  let bytes = 0;
  /** Comes before `waiting`: what an earlier write left over. */
  let rest: Buffer | null = null;
  /** The file ends in the midst of a line. */
  let isTorn = false;
  let isWriting = false;

  const take = (): Buffer | null => {
    const from = rest;
    rest = null;
    if (from !== null) return from;
    if (waiting.length === 0) return null;
    const all = Buffer.concat(isTorn ? [Buffer.from('\n'), ...waiting] : waiting);
    waiting = [];
    bytes = 0;
    return all;
  };
  const keep = (from: Buffer, written: number): void => {
    if (written > 0) isTorn = from[written - 1] !== 10;
    if (written < from.length) rest = from.subarray(written);
  };

  const pump = (): void => {
    const from = take();
    isWriting = from !== null;
    if (from === null) return;
    descriptor.write(from, (error, written) => {
      if (error === null) keep(from, written);
      else if (isBusy(error)) {
        rest = from;
        setTimeout(pump, retryMs).unref();
        return;
      }
      pump();
    });
  };

  return {
    write(lines) {
      const added = Buffer.from(lines);
      if (bytes + added.length > mostBytes) return;
      waiting.push(added);
      bytes += added.length;
      if (!isWriting) pump();
    },
    flushSync() {
      let tries = 0;
      for (let from = take(); from !== null; from = take()) {
        try {
          keep(from, descriptor.writeSync(from));
        } catch (error) {
          if (!isBusy(error) || ++tries > lastTries) continue;
          rest = from;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
        }
      }
    },
  };
}

const standardSinks = new Map<1 | 2, LineSink>();

/** The one sink of standard output (1) or standard error (2). */
export function standardSink(file: 1 | 2): LineSink {
  const known = standardSinks.get(file);
  if (known !== undefined) return known;
  const sink = createLineSink({
    write: (bytes, done) => write(file, bytes, done),
    writeSync: (bytes) => writeSync(file, bytes),
  });
  standardSinks.set(file, sink);
  process.on('exit', () => sink.flushSync());
  return sink;
}
