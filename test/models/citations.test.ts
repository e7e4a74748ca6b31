/** Web pages that an answer lists, linked to the marks in its text. */
import { describe, expect, it, test } from 'vitest';
import { CitationReader } from '../../src/models/citations.ts';
import { openaiVendor } from '../../src/providers/compatible/vendor.ts';
import type { JsonObject } from '../../src/types/json.ts';
import type { PluginServices } from '../../src/types/plugin.ts';
import type { CitationList } from '../../src/types/wire-format.ts';
import { openaiChat } from '../../src/models/vendor-formats/openai/chat.ts';

const page = 'https://one.example.com/';

function places(text: string, answer: JsonObject, own?: readonly CitationList[]): (readonly [string, string])[] {
  const reader = new CitationReader(own);
  reader.read(answer);
  return reader.annotations(text).map(({ url_citation: citation }) => {
    const { start_index: start, end_index: end, url } = citation as { start_index: number; end_index: number; url: string };
    return [text.slice(start, end), url] as const;
  });
}

describe('the mark of a page', () => {
  test.each([
    ['So [1].', ['[1]']],
    ['So [ref_1].', ['[ref_1]']],
    ['So ^[1]^.', ['^[1]^']],
    ['So [[1]](https://one.example.com/).', ['[[1]](https://one.example.com/)']],
    ['So [1](@ref).', ['[1](@ref)']],
    ['So 【1】.', ['【1】']],
    ['So [2, 1].', ['[2, 1]']],
    ['So [1], and [1].', ['[1]', '[1]']],
    ['So [7].', ['So [7].']],
    ['\u{1f6aa} So [1].', ['[1]']],
  ])('in %j is %j', (text, wanted) => {
    expect(places(text, { citations: [page] })).toEqual(wanted.map((each) => [each, page]));
  });
});

it('a page has an http or https address', () => {
  expect(places('So.', { citations: ['', 'javascript:alert(1)', { url: 7 }, null, { title: 'no address' }], web_search: 'none' })).toEqual(
    [],
  );
});

it("a vendor's list that is new to Pailou is one line of its dialect", async () => {
  const vendor = openaiVendor({
    kind: 'invented',
    title: 'Invented',
    baseUrl: 'https://api.example.com/v1',
    source: 'https://example.com/docs',
    operations: ['chat'],
    citations: [{ at: 'extra.found_pages', url: 'href', title: 'name', number: 'no' }],
  });
  const options = vendor.options.parse({ api_key: 'key' });
  const provider = await vendor.create(options, { checkUrl: (url: string) => new URL(url) } as unknown as PluginServices);
  const answer = {
    choices: [{ message: { content: 'A gate [5].' }, finish_reason: 'stop' }],
    extra: { found_pages: [{ href: page, name: 'One', no: '5' }] },
  };
  const events = openaiChat.decodeResponse(Buffer.from(JSON.stringify(answer)), provider.reading);
  expect(events.find(({ type }) => type === 'annotation')).toMatchObject({
    annotation: { type: 'url_citation', url_citation: { url: page, title: 'One', start_index: 7, end_index: 10 } },
  });
});
