import { expect, it } from 'vitest';
import { MinuteWindow } from '../../src/dispatch/minute-window.ts';

const start = 1_700_000_000_000;

it('sums the last minute, the older part of it fading', () => {
  const window = new MinuteWindow();
  for (let number = 0; number < 60; number++) window.add(1, start);
  expect(window.sum(start)).toBe(60);
  expect(window.sum(start + 59_999)).toBe(60);
  expect(window.sum(start + 90_000)).toBeCloseTo(30, 0);
  expect(window.sum(start + 120_000)).toBeCloseTo(0, 0);
  window.add(5, start + 600_000);
  expect(window.sum(start + 600_000)).toBe(5);
});

it('knows how long to wait until there is room again', () => {
  const window = new MinuteWindow();
  for (let number = 0; number < 60; number++) window.add(1, start);
  expect(window.waitFor(61, start)).toBe(0);
  const wait = window.waitFor(60, start + 10_000);
  expect(wait).toBe(50_000);
  const later = start + 90_000;
  const half = window.waitFor(20, later);
  expect(half).toBeGreaterThan(0);
  expect(window.sum(later + half)).toBeLessThan(20.1);
});
