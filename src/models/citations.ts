/** Reads the web pages that an answer lists, at any known path, and links them to the marks in its text (`[1]`, `[ref_2]`). */
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { CitationList } from '../types/wire-format.ts';
import { citationLists } from './citation-lists.ts';

interface Page {
  readonly url: string;
  title: string;
  content: string | undefined;
  number: number | undefined;
}

interface Place {
  readonly list: CitationList;
  /** The path after its first name. */
  readonly rest: readonly string[];
}

/** Lists by the first name of their path. */
type Places = readonly (readonly [name: string, places: readonly Place[]])[];

const ofMessage = 'message.';

/** Citation marks of vendors: `[1]`, `[1, 2]`, `[[1]](url)`, `[1](@ref)`, `[ref_1]`, `[doc1]`, `^[1]^`, `【1】`. */
const mark =
  /\^?(?:\[\[?(?:ref_|citation:|doc)?(\d{1,3}(?:\s*,\s*\d{1,3})*)\]\]?(?:\((?:@ref|https?:[^\s)]*)\))?|【(\d{1,3})[^】]{0,40}】)\^?/g;

function group(lists: readonly CitationList[]): Places {
  const groups = new Map<string, Place[]>();
  for (const list of lists) {
    const [first = '', ...rest] = list.at.replace(ofMessage, '').split('.');
    groups.set(first, [...(groups.get(first) ?? []), { list, rest }]);
  }
  return [...groups];
}

function isOfMessage({ at }: CitationList): boolean {
  return at.startsWith(ofMessage);
}

interface Index {
  readonly root: Places;
  readonly message: Places;
}

function indexOf(lists: readonly CitationList[]): Index {
  return { root: group(lists.filter((list) => !isOfMessage(list))), message: group(lists.filter(isOfMessage)) };
}

const common = indexOf(citationLists);
const indexes = new WeakMap<readonly CitationList[], Index>();

/** Built once per dialect. */
function indexWith(own: readonly CitationList[] | undefined): Index {
  if (own === undefined) return common;
  let index = indexes.get(own);
  if (index === undefined) indexes.set(own, (index = indexOf([...own, ...citationLists])));
  return index;
}

/** The values at the end of a path. Lists on the way are traversed. */
function follow(value: Json | undefined, path: readonly string[]): readonly Json[] {
  if (Array.isArray(value)) return path.length === 0 ? (value as readonly Json[]) : value.flatMap((each: Json) => follow(each, path));
  const [name, ...rest] = path;
  return isJsonObject(value) && name !== undefined ? follow(value[name], rest) : [];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: Json | undefined): number | undefined {
  const found = typeof value === 'number' ? value : Number(/(\d+)$/.exec(textOf(value) ?? '')?.[1] ?? Number.NaN);
  return Number.isSafeInteger(found) ? found : undefined;
}

/** A citation with all members that OpenAI's schema requires; the vendor may omit positions or title. Undefined for another annotation. */
export function completeAnnotation(annotation: JsonObject, length: number): JsonObject | undefined {
  if (annotation['type'] !== 'url_citation') return undefined;
  const given = isJsonObject(annotation['url_citation']) ? annotation['url_citation'] : annotation;
  const { type: _type, url_citation: _nested, ...citation } = given;
  const url = textOf(citation['url']);
  if (url === undefined) return undefined;
  const place = (value: Json | undefined, otherwise: number): number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
  return {
    type: 'url_citation',
    url_citation: {
      ...citation,
      start_index: place(citation['start_index'], 0),
      end_index: place(citation['end_index'], length),
      url,
      title: textOf(citation['title']) ?? url,
    },
  };
}

/** Reads one answer. */
export class CitationReader {
  readonly #index: Index;
  /** Null until a page is cited. */
  #pages: Map<string, Page> | null = null;

  /** `own`: the lists of the vendor's dialect. */
  constructor(own?: readonly CitationList[]) {
    this.#index = indexWith(own);
  }

  /** Reads an answer or chunk. */
  read(answer: JsonObject): void {
    for (const [name, places] of this.#index.root) if (answer[name] !== undefined) this.#readPlaces(answer[name], places);
  }

  /** Reads the message or delta of a choice. */
  readMessage(message: JsonObject): void {
    for (const [name, places] of this.#index.message) if (message[name] !== undefined) this.#readPlaces(message[name], places);
  }

  #readPlaces(value: Json | undefined, places: readonly Place[]): void {
    for (const { list, rest } of places) follow(value, rest).forEach((entry, position) => this.#readEntry(entry, position, list));
  }

  #readEntry(entry: Json, position: number, list: CitationList): void {
    const fields = isJsonObject(entry) ? entry : {};
    const url = textOf(isJsonObject(entry) ? fields[list.url ?? 'url'] : entry);
    if (url === undefined || !/^https?:\/\//i.test(url)) return;
    const title = textOf(fields[list.title ?? 'title']);
    const content = textOf(fields[list.content ?? 'content']);
    const number = numberOf(fields[list.number ?? 'index']);
    const known = (this.#pages ??= new Map()).get(url);
    if (known === undefined) {
      const free = number ?? this.#free(position + 1);
      this.#pages.set(url, { url, title: title ?? url, content, number: free });
      return;
    }
    if (title !== undefined && known.title === url) known.title = title;
    known.content ??= content;
  }

  /** The list position as the citation number, unless another list already uses it. */
  #free(number: number): number | undefined {
    for (const page of this.#pages?.values() ?? []) if (page.number === number) return undefined;
    return number;
  }

  /** The annotations of a complete text: one per mark, and one for the whole text when a page has no mark. `known`: annotations of the vendor; their pages are not repeated. */
  annotations(text: string, known: readonly JsonObject[] = []): JsonObject[] {
    if (this.#pages === null) return [];
    const knownUrls = new Set(known.map(({ url_citation: citation }) => (isJsonObject(citation) ? citation['url'] : undefined)));
    const pages = [...this.#pages.values()].filter(({ url }) => !knownUrls.has(url));
    const byNumber = new Map(pages.flatMap((page) => (page.number === undefined ? [] : [[page.number, page] as const])));
    const found: JsonObject[] = [];
    const marked = new Set<Page>();
    for (const match of text.matchAll(mark)) {
      for (const number of (match[1] ?? match[2] ?? '').split(',')) {
        const page = byNumber.get(Number(number));
        if (page === undefined) continue;
        marked.add(page);
        found.push(annotationOf(page, match.index, match.index + match[0].length));
      }
    }
    return [...found, ...pages.filter((page) => !marked.has(page)).map((page) => annotationOf(page, 0, text.length))];
  }
}

function annotationOf({ url, title, content }: Page, start: number, end: number): JsonObject {
  return {
    type: 'url_citation',
    url_citation: { start_index: start, end_index: end, url, title, ...(content === undefined ? {} : { content }) },
  };
}
