/** HTML as people see it: blocks apart, what is not shown left out, whatever is unclosed or deep. */
import { describe, expect, it } from 'vitest';
import { readHtml as read } from '../../../../../src/extensions/skills/documents/formats/html.ts';

const textOf = async (html: string) => (await read(html)).map(({ text }) => text).join('\n--\n');

describe('HTML', () => {
  it('has its headings as text, those without a body too', async () => {
    expect(await read('<p>before<h1>Price: <b>5</b><br>EUR</h1><h2>Empty</h2><h2></h2><p>after')).toEqual([
      { heading: '', page: null, text: 'before' },
      { heading: 'Price: 5 EUR', page: null, text: 'Price: 5\nEUR' },
      { heading: 'Price: 5 EUR > Empty', page: null, text: 'Empty' },
      { heading: 'Price: 5 EUR', page: null, text: 'after' },
    ]);
  });

  it('whose heading is not closed loses nothing', async () => {
    expect(await read('<h1>Title<p>first<p>second<h2>Next<div>third</div>')).toEqual([
      { heading: 'Title', page: null, text: 'Title\n\nfirst\nsecond' },
      { heading: 'Title > Next', page: null, text: 'Next\n\nthird' },
    ]);
    expect(await read('<div><h1><div>Boxed</div></h1></div>body')).toEqual([{ heading: 'Boxed', page: null, text: 'Boxed\n\nbody' }]);
    expect(await read('<h1>One <svg><desc>no</desc></svg>half</h1>body')).toEqual([
      { heading: 'One half', page: null, text: 'One half\n\nbody' },
    ]);
    expect(await read('<h1>One</h2>body')).toEqual([{ heading: 'One', page: null, text: 'One\n\nbody' }]);
    expect(await read('<div><h1>One</div>body')).toEqual([{ heading: 'One', page: null, text: 'One\n\nbody' }]);
  });

  it.each('aside address button option center summary details legend fieldset caption optgroup dir my-element'.split(' '))(
    'does not run words together around <%s>',
    async (name) => {
      expect((await textOf(`one<${name}>two</${name}><${name}>three</${name}>four`)).split(/\n+/)).toEqual(['one', 'two', 'three', 'four']);
    },
  );

  it('runs on where elements stand within a line', async () => {
    expect(await textOf('<p>H<sub>2</sub>O is <b>wa</b><i>ter</i>, <a href=x>a</a><span>b</span>&amp;<!-- no -->c\n  &#x64;')).toBe(
      'H2O is water, ab&c d',
    );
  });

  it('has preformatted text line for line, without its tags', async () => {
    expect(await textOf('<p>a   b<pre>\n  x =  1\r\n    <b>y</b> &lt; 2\n</pre><p>c')).toBe('a b\n  x =  1\n    y < 2\n\n\nc');
  });

  it.each([
    '<script>no</script>',
    '<style>no</style>',
    '<template>no</template>',
    '<noscript>no</noscript>',
    '<svg><title>no</title><text>no</text></svg>',
    '<nav><ul><li>no</ul></nav>',
    '<iframe>no</iframe>',
    '<object>no</object>',
    '<div hidden>no<p>no</p></div>',
    '<p hidden>no<p>',
    '<p style="color:red; display : none">no</p>',
    '<ul><li hidden>no<li></ul>',
  ])('leaves out what nobody sees: %s', async (hidden) => {
    expect(await textOf(`<html><head><title>no</title><meta charset=utf-8></head><body>one ${hidden} two`)).toMatch(/^one\s+two$/);
  });

  it('shows what stands behind a head or a vector image that was not closed', async () => {
    expect(await textOf('<html><head><title>no</title><p>one')).toBe('one');
    expect(await textOf('<div><svg><path d=x></div>one')).toBe('one');
    expect(await textOf('<svg/><iframe/></iframe>one')).toBe('one');
  });

  it('may be deep, wide, or full of comments that never end', async () => {
    expect(await textOf(`${'<div>'.repeat(100_000)}deep${'</p></b>'.repeat(100_000)}`)).toBe('deep');
    expect(await textOf(`${'<b>'.repeat(300_000)}deep`)).toBe('deep');
    expect((await textOf('<p>x</p>'.repeat(1_000_000))).length).toBe(2_999_998);
    expect(await textOf(`one${'<!--'.repeat(120_000)}`)).toBe('one');
  }, 15_000);
});
