/** Radicals become the ideographs that look the same. */
import { expect, it } from 'vitest';
import { withoutRadicals } from '../../src/text/cjk-radicals.ts';

it('replaces the radicals of both blocks and leaves everything else', () => {
  expect(withoutRadicals('⻓⻛⻅⺎ ⼀⾼⿕ 长 abc ｱ ㎏ \u2e80')).toBe('长风见兀 一高龠 长 abc ｱ ㎏ \u2e80');
});

it('leaves no radical that has an ideograph', () => {
  for (let point = 0x2e81; point <= 0x2ef3; point++) {
    if (point === 0x2e9a) continue;
    expect(withoutRadicals(String.fromCodePoint(point))).toMatch(/^[\u3400-\u9fff\u{20000}-\u{2ffff}]$/u);
  }
});
