import { describe, expect, it } from 'vitest';
import { ThinkTagReader } from '../../../../src/models/vendor-formats/openai/think-tags.ts';

function read(...pieces: string[]): { thought: string; text: string } {
  const reader = new ThinkTagReader();
  const whole = { thought: '', text: '' };
  for (const parted of [...pieces.map((piece) => reader.push(piece)), reader.end()]) {
    whole.thought += parted.thought;
    whole.text += parted.text;
  }
  return whole;
}

describe('thoughts between tags', () => {
  it.each([
    ['<think>Hm. 牌楼?</think>\n\nYes 🏮.', 'Hm. 牌楼?', 'Yes 🏮.'],
    ['\n<think>a < b </thin> c</think>d', 'a < b </thin> c', 'd'],
    ['no tags <think>here</think>', '', 'no tags <think>here</think>'],
    ['<think>never closed </thi', 'never closed </thi', ''],
    ['<thin', '', '<thin'],
    ['<think></think>', '', ''],
    ['', '', ''],
  ])('%j is %j and then %j, however it is cut', (said, thought, text) => {
    expect(read(said)).toEqual({ thought, text });
    for (let size = 1; size < 9; size++) {
      const pieces = Array.from({ length: Math.ceil(said.length / size) }, (_, index) => said.slice(index * size, (index + 1) * size));
      expect(read(...pieces), `pieces of ${size}`).toEqual({ thought, text });
    }
  });
});
