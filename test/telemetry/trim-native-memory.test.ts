/** What was freed between memory that is in use goes back to the system. */
import { isBuiltin } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { collectHeap } from '../../src/telemetry/start-idle-memory.ts';
import { trimNativeMemory } from '../../src/telemetry/trim-native-memory.ts';

const megabyte = 1024 * 1024;
const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
const canTrim = header.glibcVersionRuntime !== undefined && isBuiltin('node:ffi');

it.runIf(canTrim)('freed memory between memory in use goes back to the system, without a warning', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', listen);
  // Small enough for the common memory of the C library, which keeps what lies before its last used byte.
  let buffers = Array.from({ length: 5_000 }, () => Buffer.allocUnsafeSlow(20_000).fill(1));
  const kept = buffers.filter((_, index) => index % 100 === 0);
  buffers = [];
  collectHeap();
  const before = process.memoryUsage.rss();
  trimNativeMemory();
  expect(before - process.memoryUsage.rss()).toBeGreaterThan(30 * megabyte);
  expect(kept.every((buffer) => buffer[0] === 1 && buffer.at(-1) === 1)).toBe(true);
  await nextTurn();
  process.off('warning', listen);
  expect(warnings).toEqual([]);
});
