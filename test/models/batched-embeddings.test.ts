import { expect, it } from 'vitest';
import { requestInBatches, splitInputs } from '../../src/models/batched-embeddings.ts';
import type { EmbeddingsBody } from '../../src/types/wire-format.ts';

const staying = new AbortController().signal;

const answerFor = (part: EmbeddingsBody) => ({
  vectors: (part.input as string[]).map((each) => [Number(each)]),
  usage: { inputTokens: part.input.length, outputTokens: 0 },
});

it('sends batches of the vendor’s size, and answers in the order of the inputs', async () => {
  const body = { model: 'm', input: Array.from({ length: 47 }, (_, index) => String(index)), dimensions: 1 };
  const parts = splitInputs(body, 10);
  expect(parts.map((part) => part.input.length)).toEqual([10, 10, 10, 10, 7]);
  expect(parts.every((part) => part['dimensions'] === 1)).toBe(true);
  let running = 0;
  let most = 0;
  const answer = await requestInBatches(parts, staying, async (part) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20 - Number((part.input as string[])[0]) / 4));
    running--;
    return answerFor(part);
  });
  expect(answer.vectors).toEqual(body.input.map((each) => [Number(each)]));
  expect(answer.usage).toEqual({ inputTokens: 47, outputTokens: 0 });
  expect(most).toBe(4);
});

it('does not split one text, one list of tokens and a short list', () => {
  for (const input of ['text', [1, 2, 3, 4], ['a', 'b']]) expect(splitInputs({ model: 'm', input }, 2)).toHaveLength(1);
  expect(splitInputs({ model: 'm', input: [[1], [2], [3]] }, 2)).toHaveLength(2);
});

it('fails as a whole when one batch fails, and has no sum when one count is missing', async () => {
  const parts = splitInputs({ model: 'm', input: ['1', '2'] }, 1);
  await expect(
    requestInBatches(parts, staying, (part) =>
      part.input[0] === '2' ? Promise.reject(new Error('no')) : Promise.resolve(answerFor(part)),
    ),
  ).rejects.toThrow('no');
  const answer = await requestInBatches(parts, staying, (part) =>
    Promise.resolve({ ...answerFor(part), usage: part.input[0] === '2' ? null : { inputTokens: 1, outputTokens: 0 } }),
  );
  expect(answer.usage).toBeNull();
});

it('aborts the other batches when one fails, and sends no more', async () => {
  const parts = splitInputs({ model: 'm', input: Array.from({ length: 40 }, (_none, index) => String(index)) }, 1);
  const asked: string[] = [];
  const given: string[] = [];
  const asking = requestInBatches(parts, staying, async (part, signal) => {
    const [name = ''] = part.input as string[];
    asked.push(name);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        given.push(name);
        resolve();
      });
      if (name === '1') setTimeout(() => reject(new Error('no')), 5);
    });
    return answerFor(part);
  });
  await expect(asking).rejects.toThrow('no');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).toEqual(['0', '1', '2', '3']);
  expect(given.toSorted()).toEqual(['0', '1', '2', '3']);
});

it('aborts when its caller does', async () => {
  const caller = new AbortController();
  const parts = splitInputs({ model: 'm', input: ['1', '2', '3', '4', '5', '6'] }, 1);
  let asked = 0;
  const asking = requestInBatches(parts, caller.signal, async (part) => {
    if (++asked === 4) caller.abort(new Error('left'));
    return answerFor(part);
  });
  await expect(asking).rejects.toThrow('left');
  expect(asked).toBe(4);
});
