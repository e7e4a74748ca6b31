import { expect, it } from 'vitest';
import { MinuteWindow } from '../../src/dispatch/minute-window.ts';

const start = 1_700_000_000_000;

it('sums the last minute, with a decreasing weight for its older part', () => {
  const window = new MinuteWindow();
  for (let number = 0; number < 60; number++) window.add(1, start);
  expect(window.sum(start)).toBe(60);
  expect(window.sum(start + 59_999)).toBe(60);
  expect(window.sum(start + 90_000)).toBeCloseTo(30, 0);
  expect(window.sum(start + 120_000)).toBeCloseTo(0, 0);
  window.add(5, start + 600_000);
  expect(window.sum(start + 600_000)).toBe(5);
});

it('computes the wait until there is room again', () => {
  const full = (): MinuteWindow => {
    const window = new MinuteWindow();
    for (let number = 0; number < 60; number++) window.add(1, start);
    return window;
  };
  expect(full().waitFor(60, start)).toBe(0);
  for (const [most, at] of [
    [59, start],
    [59, start + 10_000],
    [20, start + 59_999],
    [20, start + 90_000],
    [0, start + 61_000],
    [1, start + 110_000],
  ] as const) {
    const window = full();
    const wait = window.waitFor(most, at);
    expect(wait, `${most} at ${at - start}`).toBeGreaterThan(0);
    expect(window.sum(at + wait - 100), `${most} at ${at - start}, a moment before`).toBeGreaterThan(most);
    expect(window.sum(at + wait), `${most} at ${at - start}`).toBeLessThanOrEqual(most);
  }
});
