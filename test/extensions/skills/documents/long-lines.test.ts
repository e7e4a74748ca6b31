/** Texts without any break to cut at. */
import { expect, it } from 'vitest';
import { chunkSections } from '../../../../src/extensions/skills/documents/chunks.ts';
import { textChunks } from '../../../../src/extensions/skills/documents/text-chunks.ts';

const line = 'x'.repeat(16_000_000);

it('are cut in linear time, without loss', () => {
  expect(
    textChunks(line, 500)
      .map(({ before, text, after }) => before + text + after)
      .join(''),
  ).toBe(line);
  const pieces = chunkSections([{ text: line, page: 1, heading: '' }], 1_000, 0);
  expect(pieces.map(({ text }) => text.replace(/^\[.*\]\n/, '')).join('')).toBe(line);
});
