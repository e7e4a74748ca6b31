/** HTML as displayed: blocks separated, hidden content omitted, whatever is unclosed or deeply nested. */
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

  it('joins inline elements within a line', async () => {
    expect(await textOf('<p>H<sub>2</sub>O is <b>wa</b><i>ter</i>, <a href=x>a</a><span>b</span>&amp;<!-- no -->c\n  &#x64;')).toBe(
      'H2O is water, ab&c d',
    );
  });

  it.each([
    [
      'powers and the numbers of footnotes',
      '1,299<sup>1</sup> EUR, x<sup>-2</sup>, H<sub>2</sub>O, 1<sup>st</sup>',
      '1,299¹ EUR, x⁻², H2O, 1st',
    ],
    ['what was struck out', '<p>Price <del>100</del><ins>200</ins> <s> 300 </s>EUR<s></s>', 'Price ~~100~~200 ~~300~~ EUR'],
    ['what is filled in', '<p>Name <input value="Ann &amp; Bob"><input type=hidden value=no>', 'Name Ann & Bob'],
    ['what is ticked', '<input type=checkbox checked> yes <input type="checkbox"/> no', '☒ yes ☐ no'],
    ['what is hardly hidden', '<p style="font-size:0.9em;opacity:0.5">seen', 'seen'],
  ])('contains %s', async (_what, html, text) => {
    expect(await textOf(html)).toBe(text);
  });

  it('has its lists with numbers and nesting depth', async () => {
    const html = `<ol><li>First<ul><li>sub<li><ol type=a start=2><li>deep</ol></ul></li><li></li><li><p>Third</p></li><li value=7>Seven
      </ol><ul><li><h2>Heading</h2>text</ul><table><tr><td><ol><li>cell</ol><td>x</table>after`;
    expect((await textOf(html)).split(/\n+/)).toEqual([
      '1. First',
      '  - sub',
      '    b. deep',
      '3. Third',
      '7. Seven',
      '--',
      '- Heading',
      'text',
      'cell | x',
      'after',
    ]);
  });

  it('that is laid out by tables, as mails are, has its paragraphs, headings and tables', async () => {
    const row = (name: string, price: string) => `<tr><td>${name}</td><td>${price}</td></tr>`;
    const mail = `<table><tr><td><table><tr><td><h1>Your order</h1><p>Dear Ann,</p><p>thank you.</p></td></tr></table></td></tr>
      <tr><td><table>${row('Tea', '3.00')}${row('Coffee', '2.50')}</table></td></tr><tr><td>Total 5.50</table>`;
    expect((await read(mail)).map(({ heading, text }) => [heading, ...text.split(/\n+/)])).toEqual([
      ['Your order', 'Your order', 'Dear Ann,', 'thank you.', 'Tea | 3.00', 'Coffee | 2.50', 'Total 5.50'],
    ]);
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
    '<p style="font-size:0">no<p>',
    '<p style="color: red; opacity: 0 ; top: 1px">no<p>',
    '<div style="mso-hide:all">no</div>',
  ])('omits hidden content', async (hidden) => {
    expect(await textOf(`<html><head><title>no</title><meta charset=utf-8></head><body>one ${hidden} two`)).toMatch(/^one\s+(- )?two$/);
  });

  it('contains what follows an unclosed head or vector image', async () => {
    expect(await textOf('<html><head><title>no</title><p>one')).toBe('one');
    expect(await textOf('<div><svg><path d=x></div>one')).toBe('one');
    expect(await textOf('<svg/><iframe/></iframe>one')).toBe('one');
  });

  it('may be deep, wide, or full of unclosed comments', async () => {
    expect(await textOf(`${'<div>'.repeat(100_000)}deep${'</p></b>'.repeat(100_000)}`)).toBe('deep');
    expect(await textOf(`${'<b>'.repeat(300_000)}deep`)).toBe('deep');
    expect((await textOf('<p>x</p>'.repeat(1_000_000))).length).toBe(2_999_998);
    expect(await textOf(`one${'<!--'.repeat(120_000)}`)).toBe('one');
    expect(await textOf(`${'<table>'.repeat(100_000)}deep`)).toBe('deep');
    expect((await textOf(`<table>${'<tr><td rowspan=9999 colspan=9999>x'.repeat(20_000)}`)).length).toBeLessThan(10_000_000);
    expect((await textOf(`${'<ol><li>'.repeat(50_000)}x`)).trim()).toBe('1. x');
  });
});
