import { expect, it, vi } from 'vitest';
import { createPromptPing } from '../../src/storage/prompt-ping.ts';

it('says that a database does not answer after the patience, and asks again only when the hanging statement has ended', async () => {
  const statement = Promise.withResolvers<void>();
  const ping = vi.fn<() => Promise<void>>(() => statement.promise);
  const answers = createPromptPing(ping, 5);
  expect(await Promise.all([answers(), answers()])).toEqual([false, false]);
  expect(await answers()).toBe(false);
  expect(ping).toHaveBeenCalledTimes(1);
  const next = answers();
  statement.resolve();
  expect(await next).toBe(true);
  ping.mockRejectedValueOnce(new Error('away'));
  expect(await answers()).toBe(false);
  expect(ping).toHaveBeenCalledTimes(2);
});
