/** The sink of log lines, on a descriptor that takes all, a part or nothing. */
import { expect, it } from 'vitest';
import { createLineSink } from '../../src/telemetry/line-sink.ts';

const fault = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** A file with room for `room` bytes. Its writes end when the test says so. */
function startFile(room = Infinity) {
  const state = { text: '', room, busy: 0, pending: [] as (() => void)[] };
  const take = (bytes: Buffer): number => {
    if (state.busy > 0) {
      state.busy--;
      throw fault('EAGAIN');
    }
    const left = state.room - Buffer.byteLength(state.text);
    if (left <= 0) throw fault('ENOSPC');
    const part = bytes.subarray(0, Math.min(bytes.length, left));
    state.text += part.toString();
    return part.length;
  };
  const sink = createLineSink({
    writeSync: take,
    write(bytes, done) {
      state.pending.push(() => {
        let written: number;
        try {
          written = take(bytes);
        } catch (thrown) {
          return done(thrown as NodeJS.ErrnoException, 0);
        }
        return done(null, written);
      });
    },
  });
  const settle = (): void => {
    while (state.pending.length > 0) state.pending.shift()!();
  };
  return { state, sink, settle };
}

it('writes lines in order, and together what came during a write', () => {
  const { state, sink, settle } = startFile();
  for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line);
  expect(state.pending).toHaveLength(1);
  settle();
  expect(state.text).toBe('a\nb\nc\n');
  sink.write('d\n');
  sink.write('e\n');
  state.pending.shift()!();
  sink.flushSync();
  settle();
  expect(state.text).toBe('a\nb\nc\nd\ne\n');
});

it('loses lines on a full disk, ends no process for it, and goes on with a line of its own', () => {
  const { state, sink, settle } = startFile(5);
  sink.write('one\n');
  settle();
  sink.write('two\n');
  settle();
  sink.write('three\n');
  settle();
  sink.flushSync();
  expect(state.text).toBe('one\nt');
  state.room = 1_000;
  sink.write('four\n');
  settle();
  expect(state.text).toBe('one\nt\nfour\n');
});

it('ends although the disk is full, with lines that wait', () => {
  const { state, sink } = startFile(0);
  sink.write('one\n');
  sink.write('two\n');
  sink.flushSync();
  expect(state.text).toBe('');
});

it('waits for a slow reader at the end, but not for ever', () => {
  const { state, sink } = startFile();
  sink.write('in flight\n');
  sink.write('one\n');
  state.busy = 2;
  sink.flushSync();
  expect(state.text).toBe('one\n');
  sink.write('two\n');
  state.busy = 1_000;
  sink.flushSync();
  expect(state.text).toBe('one\n');
});
