import { describe, expect, it } from 'vitest';
import { createTurns, turnsOf } from '../../src/types/turns.ts';

const never = new AbortController().signal;

describe('turns', () => {
  it('are taken in the order in which they were asked for, so many at once', async () => {
    const take = turnsOf(2);
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
    // Ended twice, it makes room for one all the same.
    endA?.();
    await taken[2];
    expect(order).toEqual(['a', 'b', 'c']);
    (await taken[1])?.();
    await taken[3];
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are not given to one who has left, and each key has its own', async () => {
    const turns = createTurns();
    const leaving = new AbortController();
    const end = await turns.take('one', 1, never);
    const left = turns.take('one', 1, leaving.signal);
    const next = turns.take('one', 1, never);
    await turns.take('other', 1, never);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    end();
    (await next)();
    await expect(turns.take('one', 1, leaving.signal)).rejects.toThrow('gone');
  });
});
