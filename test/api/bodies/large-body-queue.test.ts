/** Large bodies are parsed in a fair queue by person, and yield to other work. */
import { expect, it } from 'vitest';
import { createLargeBodyQueue } from '../../../src/api/bodies/large-body-queue.ts';

const body = Buffer.from(JSON.stringify({ list: Array.from({ length: 5_000 }, (_, index) => index) }));

it('many bodies of one person do not delay the body of another person', async () => {
  const queue = createLargeBodyQueue({ maxDepth: 10, slice: 1_000 });
  const order: string[] = [];
  const parse = (person: string, name: string): Promise<void> =>
    new Promise((resolve) => {
      queue.parse(person, body, (error, parsed) => {
        order.push(error === null ? name : 'failed');
        expect(parsed?.body).toMatchObject({ list: expect.any(Array) });
        resolve();
      });
    });
  await Promise.all([...['a1', 'a2', 'a3', 'a4'].map((name) => parse('ann', name)), parse('ben', 'b1'), parse('eve', 'e1')]);
  expect(order).toEqual(['a1', 'b1', 'e1', 'a2', 'a3', 'a4']);
});

it('yields after each slice, and an invalid body does not block the queue', async () => {
  const queue = createLargeBodyQueue({ maxDepth: 10, slice: 1_000, turnMs: 0 });
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const outcome = (bytes: Buffer): Promise<unknown> =>
    new Promise((resolve) => queue.parse('ann', bytes, (error, parsed) => resolve(error ?? parsed?.body)));
  const [bad, good] = await Promise.all([outcome(Buffer.from('[1,,2]')), outcome(body)]);
  isOver = true;
  expect(bad).toMatchObject({ code: 'invalid_json' });
  expect(good).toMatchObject({ list: expect.any(Array) });
  expect(turns).toBeGreaterThan(Math.floor(body.length / 1_000));
});
