/** Displayed text contains no hiding, reordering or control characters; those of scripts and emoji remain. */
import { expect, it } from 'vitest';
import { foreignNameField, printable, printableLine } from '../../src/types/printable-text.ts';

it.each([
  ['an escape of a terminal', '\u001b[2Jgone', '�[2Jgone'],
  ['NUL, backspace, delete', 'a\u0000b\u0008c\u007f', 'a�b�c�'],
  ['C1', 'a\u009b31m', 'a�31m'],
  ['overrides of direction', 'exe.\u202egpj', 'exe.�gpj'],
  ['isolates', '\u2066a\u2069', '�a�'],
  ['a zero-width space', 'ad\u200bmin', 'ad�min'],
  ['joiners between letters that join nothing', 'ad\u200dmin\u200c', 'ad�min�'],
  ['a byte order mark', '\ufeffx', '�x'],
  ['tag characters, which only a model reads', 'x\u{e0041}\u{e0042}', 'x��'],
  ['line separators', 'a\u2028b', 'a�b'],
  ['half a character', 'a\ud800b', 'a�b'],
  ['a carriage return that writes over its line', 'safe\revil', 'safe\nevil'],
])('%s', (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(printable(printable(text))).toBe(shown);
});

it.each(['你好，世界', 'naïve – “quotes” …', '👩‍💻 👍🏽 ❤️ 🇨🇳', 'می‌خواهم', 'क्‍ष', 'עברית\u200f', 'two\nlines\tand a tab', '한국어 ひらがな'])(
  '%s stays as it is',
  (text) => {
    expect(printable(text)).toBe(text);
  },
);

it('a title is reduced to one line', () => {
  expect(printableLine('a\r\n\tb')).toBe('a b');
});

it('a name from another system is refused with control characters, and otherwise unchanged', () => {
  const field = foreignNameField(20);
  for (const text of ['a\u0000b', 'a\nb', 'a\u009bb', 'a\ud800', '\udc00b'])
    expect(field.safeParse(text).error?.issues[0]?.message).toBe('must not hold control characters or half of a surrogate pair');
  for (const text of ['研发 部 🐉', 'ad\u200bmin', 'ROLE_ADMIN']) expect(field.parse(text)).toBe(text);
});
