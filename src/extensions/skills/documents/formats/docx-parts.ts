/** Rewrites the parts of a Word document for a reader that supports fewer elements. */
import { strFromU8, strToU8 } from 'fflate';

export type Parts = Readonly<Record<string, Uint8Array>>;

/** Elements whose text would be lost: field results and ruby text. */
const wrappers = /<\/?w:(fldSimple|ruby|rubyBase)\b[^<>]*>/g;
const beside = /<w:(rt|rubyPr)\b[^<>]*(?:\/>|>(?:[^<]|<(?!\/w:\1>))*<\/w:\1>)/g;
const link = /<w:hyperlink\b[^<>]*\br:id="([^"]*)"[^<>]*>/g;

/** A link without a target becomes its text. */
function withoutDeadLinks(xml: string, relations: string): string {
  return xml.replaceAll(link, (whole, id: string) => (relations.includes(`"${id}"`) ? whole : whole.replace(/\br:id="[^"]*"/, '')));
}

function ready(part: Uint8Array, relations: Uint8Array | undefined): Uint8Array {
  const xml = strFromU8(part);
  const own = xml.includes('<w:ruby') || xml.includes('<w:fldSimple') ? xml.replaceAll(beside, '').replaceAll(wrappers, '') : xml;
  return strToU8(withoutDeadLinks(own, relations === undefined ? '' : strFromU8(relations)));
}

/** The path of a part's relationships. */
const relationsOf = (name: string): string => name.replace(/^(.*\/)?([^/]+)$/, '$1_rels/$2.rels');

/** Also for a header or footer, read as a document of its own. */
export function readyParts(parts: Parts, main: string): Parts {
  const part = parts[main];
  return part === undefined ? parts : { ...parts, [main]: ready(part, parts[relationsOf(main)]) };
}

/** The usual path of the main document part. */
export const mainPart = 'word/document.xml';

/** The most headers and footers that are read. More belong to many chapters and repeat. */
const mostBeside = 50;

/** The headers or footers, each as a main document. Empty when the main part has another path. */
export function besidePages(parts: Parts, what: 'header' | 'footer'): readonly Parts[] {
  const start = parts['_rels/.rels'];
  if (parts[mainPart] === undefined || (start !== undefined && !strFromU8(start).includes(mainPart))) return [];
  const names = Object.keys(parts).filter((name) => name.startsWith(`word/${what}`) && /^\d*\.xml$/.test(name.slice(what.length + 5)));
  return names
    .toSorted()
    .slice(0, mostBeside)
    .flatMap((name): Parts[] => {
      const xml = strFromU8(parts[name] as Uint8Array);
      const [, root, attributes] = /<w:(hdr|ftr)\b([^<>]*[^<>/])>/.exec(xml) ?? [];
      const begin = xml.indexOf('>', xml.indexOf(`<w:${root}`)) + 1;
      const end = xml.lastIndexOf(`</w:${root}>`);
      if (root === undefined || end < begin) return [];
      const document = `<w:document${attributes ?? ''}><w:body>${xml.slice(begin, end)}</w:body></w:document>`;
      const { [mainPart]: _main, [relationsOf(mainPart)]: _relations, ...others } = parts;
      const relations = parts[relationsOf(name)];
      return [
        readyParts(
          { ...others, [mainPart]: strToU8(document), ...(relations === undefined ? {} : { [relationsOf(mainPart)]: relations }) },
          mainPart,
        ),
      ];
    });
}
