/** The body budget: limits for one person and for the node, each reservation released once. */
import { expect, it } from 'vitest';
import { createBodyBudget } from '../../../src/api/bodies/body-budget.ts';

const full = (sentence: RegExp) =>
  expect.objectContaining({ code: 'rate_limited', message: expect.stringMatching(sentence), retryAfterSeconds: 5 });

it('the bodies of one person stay within the limit of a person, however many there are', () => {
  const budget = createBodyBudget({ mostOfOne: 100, mostOfAll: 1_000 });
  const [one, other] = [budget.enter('ann'), budget.enter('ann')];
  one.reach(60);
  other.reach(40);
  // A size below the reserved one changes nothing.
  one.reach(10);
  expect(() => other.reach(41)).toThrow(full(/^The bodies of your active requests .* 100 bytes/));
  budget.enter('ben').reach(100);
  budget.enter('other tenant ann').reach(100);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  other.reach(100);
  expect(budget.held).toBe(300);
});

it('a single body may exceed the limit of a person, and then no other body of that person fits', () => {
  const budget = createBodyBudget({ mostOfOne: 100, mostOfAll: 1_000 });
  const alone = budget.enter('ann');
  alone.reach(50);
  alone.reach(400);
  expect(() => budget.enter('ann').reach(1)).toThrow(full(/^The bodies of your active requests/));
  alone[Symbol.dispose]();
  expect(budget.held).toBe(0);
});

it('the bodies of all people stay within the limit of the node, and a body that never fits is too large', () => {
  const budget = createBodyBudget({ mostOfOne: 100, mostOfAll: 150 });
  const first = budget.enter('ann');
  first.reach(100);
  const late = budget.enter('ben');
  expect(() => late.reach(51)).toThrow(full(/^The bodies of all active requests leave no room/));
  expect(() => late.reach(151)).toThrow(expect.objectContaining({ code: 'body_too_large' }));
  first[Symbol.dispose]();
  late.reach(51);
});
