/** The memory of all request bodies: for one person, for a node, given back once. */
import { expect, it } from 'vitest';
import { createBodyBudget } from '../../../src/api/bodies/body-budget.ts';

const full = (sentence: RegExp) =>
  expect.objectContaining({ code: 'rate_limited', message: expect.stringMatching(sentence), retryAfterSeconds: 5 });

it('one person holds so much and no more, however many bodies it is', () => {
  const budget = createBodyBudget({ mostOfOne: 100, mostOfAll: 1_000 });
  const [one, other] = [budget.enter('ann'), budget.enter('ann')];
  one.reach(60);
  other.reach(40);
  // Less than it has already is nothing new.
  one.reach(10);
  expect(() => other.reach(41)).toThrow(full(/^The bodies of your active requests .* 100 bytes/));
  budget.enter('ben').reach(100);
  budget.enter('other tenant ann').reach(100);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  other.reach(100);
  expect(budget.held).toBe(300);
});

it('one body alone may be larger than the part of its person, and then nothing else of theirs goes in', () => {
  const budget = createBodyBudget({ mostOfOne: 100, mostOfAll: 1_000 });
  const alone = budget.enter('ann');
  alone.reach(50);
  alone.reach(400);
  expect(() => budget.enter('ann').reach(1)).toThrow(full(/^The bodies of your active requests/));
  alone[Symbol.dispose]();
  expect(budget.held).toBe(0);
});

it('all together hold so much and no more, and what never fits is too large', () => {
  const budget = createBodyBudget({ mostOfOne: 100, mostOfAll: 150 });
  const first = budget.enter('ann');
  first.reach(100);
  const late = budget.enter('ben');
  expect(() => late.reach(51)).toThrow(full(/^The bodies of all active requests leave no room/));
  expect(() => late.reach(151)).toThrow(expect.objectContaining({ code: 'body_too_large' }));
  first[Symbol.dispose]();
  late.reach(51);
});
