import { describe, expect, it } from 'vitest';
import { ThinkTagReader } from '../../../../src/models/vendor-formats/openai/think-tags.ts';
import type { FinishReason } from '../../../../src/types/chat.ts';

interface Read {
  readonly startsInside?: boolean;
  readonly whole?: boolean;
  readonly reason?: FinishReason;
}

function read(
  pieces: readonly string[],
  { startsInside = false, whole = false, reason = 'stop' }: Read = {},
): { thought: string; text: string } {
  const reader = new ThinkTagReader({ startsInside });
  const all = { thought: '', text: '' };
  for (const parted of [...pieces.map((piece) => reader.push(piece, whole)), reader.end(reason)]) {
    all.thought += parted.thought;
    all.text += parted.text;
  }
  return all;
}

const cut = (said: string, size: number): string[] =>
  Array.from({ length: Math.ceil(said.length / size) }, (_, index) => said.slice(index * size, (index + 1) * size));

describe('reasoning between think tags', () => {
  it.each([
    ['<think>Hm. 牌楼?</think>\n\nYes 🏮.', 'Hm. 牌楼?', 'Yes 🏮.'],
    ['\n<think>a < b </thin> c</think>d', 'a < b </thin> c', 'd'],
    ['no tags <think>here</think>', '', 'no tags <think>here</think>'],
    ['<think>never closed </thi', 'never closed </thi', ''],
    ['<thin', '', '<thin'],
    ['<think></think>', '', ''],
    ['', '', ''],
  ])('%j is reasoning %j and text %j, wherever it is cut', (said, thought, text) => {
    expect(read([said], { whole: true })).toEqual({ thought, text });
    for (let size = 1; size < 9; size++) expect(read(cut(said, size)), `pieces of ${size}`).toEqual({ thought, text });
  });
});

describe('thoughts without an opening tag', () => {
  it.each([
    ['Hm. 牌楼?\n</think>\n\nYes 🏮.', 'Hm. 牌楼?\n', 'Yes 🏮.'],
    ['Hm.</think>Yes.', 'Hm.', 'Yes.'],
    ['</think>\n\nYes.', '', 'Yes.'],
    ['A</think>B</think>C', 'A', 'B</think>C'],
  ])('%j is %j and then %j: in a whole answer, and in any pieces where the row says so', (said, thought, text) => {
    expect(read([said], { whole: true })).toEqual({ thought, text });
    expect(read([said], { whole: true, startsInside: true })).toEqual({ thought, text });
    for (let size = 1; size < 9; size++)
      expect(read(cut(said, size), { startsInside: true }), `pieces of ${size}`).toEqual({ thought, text });
  });

  it.each(['The tag `</think>` ends a thought.', 'It writes "</think>" there.', 'no <think>here</think>'])(
    '%j of a whole answer is text',
    (said) => {
      expect(read([said], { whole: true })).toEqual({ thought: '', text: said });
    },
  );

  it('with the tags all the same, are read by them', () => {
    const said = '<think>Hm.</think>Yes.';
    for (let size = 1; size < 9; size++) expect(read(cut(said, size), { startsInside: true })).toEqual({ thought: 'Hm.', text: 'Yes.' });
  });

  it('are thoughts when they were cut, and the answer when it ended without any tag', () => {
    const said = 'Yes, of course </th';
    expect(read([said], { startsInside: true, whole: true, reason: 'length' })).toEqual({ thought: said, text: '' });
    expect(read(cut(said, 3), { startsInside: true, reason: 'length' })).toEqual({ thought: said, text: '' });
    expect(read([said], { startsInside: true, whole: true })).toEqual({ thought: '', text: said });
    expect(read(cut(said, 3), { startsInside: true }), 'given out as thoughts, and then as text').toEqual({
      thought: 'Yes, of course ',
      text: said,
    });
  });

  it('are not in a text whose thoughts the vendor separates', () => {
    const reader = new ThinkTagReader({ startsInside: true });
    reader.separatedByVendor();
    expect(reader.push('Yes.')).toEqual({ thought: '', text: 'Yes.' });
    expect(reader.end('stop')).toEqual({ thought: '', text: '' });
  });
});
