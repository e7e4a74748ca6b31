import { expect, it } from 'vitest';
import { createRunEventLog, type RunEvent } from '../../../src/application/background/run-event-log.ts';

const { signal } = new AbortController();
const delta = (text: string): RunEvent => ({ name: 'delta', data: { text } });
const names = async (news: AsyncIterable<readonly RunEvent[]>): Promise<string[]> =>
  (await Array.fromAsync(news)).flat().map(({ name, data }) => (name === 'delta' ? (data['text'] as string) : name));

it('sends all events from the start to early and late listeners', async () => {
  const feed = createRunEventLog({ name: 'started', data: {} });
  const early = names(feed.follow(signal));
  feed.add([delta('a'), delta('b')]);
  await new Promise(setImmediate);
  feed.end({ name: 'completed', data: {} });
  const all = ['started', 'a', 'b', 'completed'];
  expect(await early).toEqual(all);
  expect(await names(feed.follow(signal))).toEqual(all);
});

it('drops the oldest events above its limit, never the end', async () => {
  const feed = createRunEventLog({ name: 'started', data: {} });
  feed.add(Array.from({ length: 6_000 }, (_, index) => delta(String(index))));
  feed.end({ name: 'completed', data: {} });
  const heard = await names(feed.follow(signal));
  expect(heard).toHaveLength(5_000);
  expect(heard.slice(-2)).toEqual(['5999', 'completed']);
});

it('a listener that loses its permission while reading gets an error at once', async () => {
  const controller = new AbortController();
  const news = createRunEventLog({ name: 'started', data: {} }).follow(controller.signal)[Symbol.asyncIterator]();
  await news.next();
  controller.abort(new Error('gone'));
  await expect(Promise.race([news.next(), new Promise((resolve) => setTimeout(resolve, 500))])).rejects.toThrow('gone');
});
