import { describe, expect, it } from 'vitest';
import { createFairQueue, createSlots } from '../../src/scheduling/fair-queue.ts';

const never = new AbortController();

describe('slots of a fair queue', () => {
  it('are assigned in order of arrival, up to the limit', async () => {
    const take = createSlots(2);
    const order: string[] = [];
    const taken = ['a', 'b', 'c', 'd'].map((name) =>
      take(never).then((end) => {
        order.push(name);
        return end;
      }),
    );
    const [endA] = await Promise.all(taken.slice(0, 2));
    expect(order).toEqual(['a', 'b']);
    endA?.();
    // A second release of one slot has no effect.
    endA?.();
    await taken[2];
    expect(order).toEqual(['a', 'b', 'c']);
    (await taken[1])?.();
    await taken[3];
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('go first to keys with the fewest slots, however many another key requests', async () => {
    const take = createSlots(2);
    const { signal } = never;
    const order: string[] = [];
    const ask = async (who: string, name: string) => {
      const end = await take({ signal, who });
      order.push(name);
      return end;
    };
    const greedy = Array.from({ length: 6 }, (_, index) => ask('greedy', `g${index}`));
    const ends = await Promise.all(greedy.slice(0, 2));
    const modest = ask('modest', 'm');
    ends[0]?.();
    const end = await modest;
    expect(order).toEqual(['g0', 'g1', 'm']);
    end();
    await greedy[2];
    ends[1]?.();
    await greedy[3];
    expect(order).toEqual(['g0', 'g1', 'm', 'g2', 'g3']);
  });

  it('are not given to an aborted request, and each queue has its own', async () => {
    const turns = createFairQueue();
    const leaving = new AbortController();
    const end = await turns.take('one', 1, never);
    const left = turns.take('one', 1, leaving);
    const next = turns.take('one', 1, never);
    await turns.take('other', 1, never);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    end();
    (await next)();
    await expect(turns.take('one', 1, leaving)).rejects.toThrow('gone');
  });
});
