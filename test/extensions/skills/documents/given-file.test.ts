/** Files in the base64 variants that programs send. */
import { expect, it } from 'vitest';
import { readInputDocument } from '../../../../src/extensions/skills/documents/document.ts';

const { signal } = new AbortController();
const read = async (base64: string) => (await readInputDocument({ document: { base64 } }, { signal })).map(({ text }) => text).join('\n');
const encoded = (text: string): string => Buffer.from(text).toString('base64');

it.each([
  ['with line breaks', `${encoded('Whole words.').slice(0, 5)}\r\n${encoded('Whole words.').slice(5)}`],
  ['with other signs', Buffer.from('Whole words.').toString('base64url')],
  ['as a data: address', `data:text/plain;charset=utf-8;base64,${encoded('Whole words.')}`],
])('are read %s', async (_how, base64) => {
  expect(await read(base64)).toBe('Whole words.');
});

it.each([
  ['encoded in parts, of which only the first would be read', `${encoded('First half.')}${encoded('Second half.')}`, 'is not base64'],
  ['with a word', 'not base64!', 'is not base64'],
  ['as a data: address without base64', 'data:text/plain,hello', 'must contain base64'],
  ['empty', '  ', 'is empty'],
])('are refused %s', async (_how, base64, words) => {
  await expect(read(base64)).rejects.toMatchObject({
    code: 'invalid_request',
    param: 'input.document',
    message: expect.stringContaining(words) as string,
  });
});
