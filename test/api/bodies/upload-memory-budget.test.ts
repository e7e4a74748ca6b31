/** The room of all forms: for one person, for a node, given back once. */
import { expect, it } from 'vitest';
import { createUploadMemoryBudget } from '../../../src/api/bodies/upload-memory-budget.ts';

const owner = (subject: string) => ({ tenant: 'acme', issuer: 'i', subject });
const full = (sentence: RegExp) =>
  expect.objectContaining({ code: 'rate_limited', message: expect.stringMatching(sentence), retryAfterSeconds: 5 });

it('one person holds so much and no more, however many forms it is', () => {
  const rooms = createUploadMemoryBudget({ mostOfOne: 100, mostOfAll: 1_000 });
  const [one, other] = [rooms.enter(owner('ann')), rooms.enter(owner('ann'))];
  one.reach(60);
  other.reach(40);
  // Less than it has already is nothing new.
  one.reach(10);
  expect(() => other.reach(41)).toThrow(full(/^Your forms .* 100 bytes/));
  rooms.enter(owner('ben')).reach(100);
  rooms.enter({ ...owner('ann'), tenant: 'other' }).reach(100);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  other.reach(100);
  expect(() => other.reach(101)).toThrow(full(/^Your forms/));
});

it('all together hold so much and no more', () => {
  const rooms = createUploadMemoryBudget({ mostOfOne: 100, mostOfAll: 150 });
  const room = rooms.enter(owner('ann'));
  room.reach(100);
  const late = rooms.enter(owner('ben'));
  expect(() => late.reach(51)).toThrow(full(/^The forms .* no room/));
  room[Symbol.dispose]();
  late.reach(51);
});
