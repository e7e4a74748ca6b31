/** Ids of runs: unique and in order of time. */
import { describe, expect, it } from 'vitest';
import { newOrderedId } from '../../src/telemetry/ordered-id.ts';

describe('the id of a run', () => {
  it('is a UUID of version 7 that begins with the time', () => {
    const before = Date.now();
    const id = newOrderedId();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const time = Number.parseInt(id.slice(0, 13).replace('-', ''), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('is unique, even within a millisecond', () => {
    expect(new Set(Array.from({ length: 10_000 }, newOrderedId)).size).toBe(10_000);
  });
});
