/** Plain text and Markdown as sections, without loss and in linear time. */
import { describe, expect, it } from 'vitest';
import { readInputDocument } from '../../../../../src/extensions/skills/documents/document.ts';
import { cpuMilliseconds } from '../../../../cpu-time.ts';

const { signal } = new AbortController();
const read = async (text: string) => readInputDocument({ text }, { signal });
const headings = async (text: string) => (await read(text)).map(({ heading }) => heading);

describe('headings', () => {
  it('are also text, so that they can be quoted', async () => {
    expect(await read('# Price: 5 EUR\n\n## Empty\n## Full ##\nwords\n')).toEqual([
      { heading: 'Price: 5 EUR', page: null, text: '# Price: 5 EUR' },
      { heading: 'Price: 5 EUR > Empty', page: null, text: '## Empty' },
      { heading: 'Price: 5 EUR > Full', page: null, text: '## Full ##\nwords' },
    ]);
  });

  it('that only look like headings lose no plain text', async () => {
    expect(await read('Tea 5\n\nTotal 99\n--------\n')).toEqual([
      { heading: '', page: null, text: 'Tea 5' },
      { heading: 'Total 99', page: null, text: 'Total 99\n--------' },
    ]);
    const text = '  indented\n\n# One\r\n\r\nTwo\n===\n\n\n---\n***\n#none\n# \n####### seven\nlast';
    const together = (await read(text)).map((section) => section.text).join('\n');
    expect(together.split(/\n+/)).toEqual(text.split(/[\r\n]+/));
  });

  it('that are long are cut, but not their text', async () => {
    const long = `${'x'.repeat(199)}😀${'y'.repeat(100)}`;
    expect(await read(`# ${long}\nbody`)).toEqual([{ heading: 'x'.repeat(199), page: null, text: `# ${long}\nbody` }]);
  });

  it('may end with a number sign of their own', async () => {
    expect(await headings('# C#\na\n# F# #\nb\n# ##\nc')).toEqual(['C#', 'F#']);
  });

  it.each([
    ['closed by the same character only', '```\n~~~\n# no\n```\n# yes', ['', 'yes']],
    ['closed by as many at least', '````\n```\n# no\n`````\n# yes', ['', 'yes']],
    ['closed by nothing that says more', '```js\n# no\n``` js\n# no\n```  \n# yes', ['', 'yes']],
    ['not opened by code within a line', '```inline``` code\n# yes', ['', 'yes']],
    ['opened by tildes with anything after them', '~~~ a`b\n# no\n~~~\n# yes', ['', 'yes']],
    ['open to the end if nobody closes them', '```\n# no', ['']],
  ])('within code fences are not headings: %s', async (_what, text, expected) => {
    expect(await headings(text)).toEqual(expected);
  });
});

describe('a text', () => {
  it.each(['', ' ', '\n \t\u00a0\n'])('that is blank is refused: %j', async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'invalid_request', message: 'input.text is blank.', param: 'input.text' });
  });

  it.each([
    ['a heading of spaces', `# a${' '.repeat(200_000)}b`],
    ['a heading of number signs', `# a${' #'.repeat(100_000)} b`],
    ['many number signs', '#'.repeat(300_000)],
    ['a fence of spaces', `${' '.repeat(300_000)}x`],
    ['backticks', '`'.repeat(300_000)],
    ['an underline that is none', `a\n${'-'.repeat(300_000)}x\n\nb\n${'='.repeat(150_000)}${' '.repeat(150_000)}x`],
    ['blank lines', `a${'\n'.repeat(300_000)}b`],
  ])('is read without delay, even with %s', async (_what, text) => {
    const start = cpuMilliseconds();
    const sections = await read(text);
    expect(cpuMilliseconds() - start).toBeLessThan(5_000);
    expect(sections.map((section) => section.text).join('\n')).toBe(text);
  });

  it('that is long yields to other work, and stops when the caller leaves', async () => {
    const gone = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks === 3) gone.abort(new Error('gone'));
    }, 1);
    await expect(readInputDocument({ text: 'a\n'.repeat(4_000_000) }, gone)).rejects.toThrow('gone');
    clearInterval(timer);
  });

  it('with too many headings is refused', async () => {
    await expect(read('# a\n'.repeat(50_001))).rejects.toThrow('input.text has more than 50,000 headings; send it in parts.');
  });
});
