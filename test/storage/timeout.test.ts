/** Timeouts of calls to another service while this process may be blocked. */
import { expect, it } from 'vitest';
import { afterTimeout } from '../../src/storage/redis.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Blocks the process, as heavy load does. */
const standStill = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

it('ends after its timeout', async () => {
  let ended = 0;
  afterTimeout(50, () => ended++);
  await pause(30);
  expect(ended).toBe(0);
  await pause(100);
  expect(ended).toBe(1);
});

it('does not end because the process was blocked, nor after it was stopped', async () => {
  let ended = false;
  const stop = afterTimeout(100, () => {
    ended = true;
  });
  for (let time = 0; time < 3; time++) {
    standStill(150);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(ended).toBe(false);
  stop();
  await pause(150);
  expect(ended).toBe(false);
});
