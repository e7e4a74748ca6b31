/** Citations of held text stay with their text. */
import { expect, it } from 'vitest';
import { onlyJson } from '../../../src/extensions/tool-loop/json-answer.ts';
import type { Round, RoundCall } from '../../../src/extensions/tool-loop/read-round.ts';
import type { ChatEvent } from '../../../src/types/chat.ts';

const words = (text: string): ChatEvent => ({ type: 'text-delta', choice: 0, text });
const citation: ChatEvent = { type: 'annotation', choice: 0, annotation: { type: 'url_citation' } };
const call: RoundCall = { id: 'a', shown: 'a', name: 'look', kind: 'function', arguments: '{}' };

async function typesOf(events: readonly ChatEvent[], calls: readonly RoundCall[]): Promise<string[]> {
  async function* read(): AsyncGenerator<readonly ChatEvent[], Round, void> {
    for (const event of events) yield [event];
    return { text: '', thoughts: {}, calls, reason: 'stop' };
  }
  return (await Array.fromAsync(onlyJson(read()))).flat().map(({ type }) => type);
}

it('stay with text before a call', async () => {
  expect(await typesOf([words('As they say.'), citation], [call])).toEqual([]);
});

it('follow their text', async () => {
  const answer = ['text-delta', 'annotation', 'text-delta'];
  expect(await typesOf([words('As they say'), citation, words('.')], [])).toEqual(answer);
  expect(await typesOf([words('{"a":'), citation, words('1}')], [])).toEqual(answer);
});
