import { expect, it, vi } from 'vitest';
import { createPromptAnswer } from '../../src/telemetry/prompt-answer.ts';

it('gives up after the patience, and asks again only when what hangs has ended', async () => {
  const hanging = Promise.withResolvers<string>();
  const ask = vi.fn<() => Promise<string>>(() => hanging.promise);
  const answer = createPromptAnswer(ask, 5);
  expect(await Promise.all([answer(), answer()])).toEqual([null, null]);
  expect(await answer()).toBe(null);
  expect(ask).toHaveBeenCalledTimes(1);
  const next = answer();
  hanging.resolve('well');
  expect(await next).toBe('well');
  ask.mockRejectedValueOnce(new Error('away'));
  await expect(answer()).rejects.toThrow('away');
  expect(await answer()).toBe('well');
  expect(ask).toHaveBeenCalledTimes(3);
});

it('asks anew after a failure that no caller waited for', async () => {
  const hanging = Promise.withResolvers<string>();
  const answer = createPromptAnswer(vi.fn<() => Promise<string>>().mockReturnValueOnce(hanging.promise).mockResolvedValue('well'), 5);
  expect(await answer()).toBe(null);
  hanging.reject(new Error('too late'));
  await new Promise(setImmediate);
  expect(await answer()).toBe('well');
});
