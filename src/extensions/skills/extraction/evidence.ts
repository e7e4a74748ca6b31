/** What a model says that a document says, against the document itself. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { placeOf, type Section } from '../documents/section.ts';

/** One record as the model gave it. */
export interface Found {
  readonly data: JsonObject;
  readonly quotes: Readonly<Record<string, string>>;
}
interface Proof {
  readonly quote: string;
  readonly source: string;
}
export interface Proven {
  readonly data: JsonObject;
  readonly proofs: Readonly<Record<string, Proof>>;
}
export interface Rejected {
  readonly value: Json;
  readonly reason: string;
}
export interface Extraction {
  readonly records: readonly Proven[];
  readonly rejected: readonly Rejected[];
}

/** Breaks of lines, kinds of spaces and of quotation marks are the layout's, not the words'. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u2018\u2019]/g, "'")
    .replaceAll(/[\u201c\u201d]/g, '"')
    .replaceAll(/-\n(?=\p{Ll})/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Texts as they are looked at, once for each section. */
const plainTexts = new WeakMap<Section, string>();
function plainOf(section: Section): string {
  let text = plainTexts.get(section);
  if (text === undefined) {
    text = plain(section.text);
    plainTexts.set(section, text);
  }
  return text;
}

/** The section that holds the words, of those that the model had before it. */
function sectionWith(quote: string, sections: readonly Section[], numbers: readonly number[]): Section | undefined {
  const words = plain(quote);
  if (words === '') return undefined;
  return numbers.map((number) => sections[number - 1] as Section).find((section) => plainOf(section).includes(words));
}

/** A number said by the document is a number with the same digits, however it is grouped. */
function isSaidBy(value: Json, quote: string): boolean {
  if (typeof value !== 'number') return true;
  const digits = String(Math.abs(value))
    .replaceAll(/\D/g, '')
    .replaceAll(/^0+|0+$/g, '');
  const said = plain(quote).replaceAll(/(?<=\d)[,.\s'](?=\d)/g, '');
  // Words such as "three" are believed; digits that are there must be these.
  return !/\d/.test(said) || said.includes(digits);
}

/** Keeps each top-level field whose quote stands in the document; a record without any is none. */
export function proven(records: readonly Found[], sections: readonly Section[], numbers: readonly number[]): Extraction {
  const rejected: Rejected[] = [];
  const kept = records.flatMap(({ data, quotes }): Proven[] => {
    const proofs: Record<string, Proof> = {};
    const own = Object.entries(data).filter(([field, value]) => {
      if (value === null || value === undefined) return false;
      const quote = Object.hasOwn(quotes, field) ? (quotes[field] ?? '') : '';
      const section = sectionWith(quote, sections, numbers);
      if (section === undefined) {
        rejected.push({
          value: { [field]: value },
          reason: quote === '' ? 'no quote was given' : `the document does not say "${quote.slice(0, 200)}"`,
        });
        return false;
      }
      if (!isSaidBy(value, quote)) {
        rejected.push({ value: { [field]: value }, reason: `"${quote.slice(0, 200)}" does not say it` });
        return false;
      }
      proofs[field] = { quote: quote.trim(), source: placeOf(section) };
      return true;
    });
    return own.length === 0 ? [] : [{ data: Object.fromEntries(own), proofs }];
  });
  return { records: kept, rejected };
}

function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((each: Json) => canonical(each)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(typeof value === 'string' ? plain(value).toLowerCase() : (value ?? null));
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner as Json)}`).join(',')}}`;
}

/** True if all that `part` says is said by `whole`: the same thing, cut by the end of a piece. */
function isWithin(part: JsonObject, whole: JsonObject): boolean {
  return Object.entries(part).every(
    ([field, value]) => Object.hasOwn(whole, field) && canonical(whole[field]) === canonical(value as Json),
  );
}

export interface Merged {
  readonly data: Json;
  readonly evidence: readonly ({ readonly path: string } & Proof)[];
  readonly rejected: readonly Rejected[];
}

/** Many: each record once, the fullest where pieces overlap. One: each field by the first place that says it; others that contradict are told. */
export function merged(parts: readonly Extraction[], many: boolean): Merged {
  const records = parts.flatMap((part) => part.records);
  const rejected = parts.flatMap((part) => part.rejected);
  if (many) {
    const kept: Proven[] = [];
    for (const record of records) {
      if (kept.some((other) => isWithin(record.data, other.data))) continue;
      const smaller = kept.findIndex((other) => isWithin(other.data, record.data));
      if (smaller === -1) kept.push(record);
      else kept[smaller] = record;
    }
    const told = kept.flatMap(({ proofs }, index) =>
      Object.entries(proofs).map(([field, proof]) => ({ path: `[${index}].${field}`, ...proof })),
    );
    return { data: kept.map(({ data }) => data), evidence: told, rejected };
  }
  const data: Record<string, Json> = {};
  const proofs: Record<string, Proof> = {};
  for (const record of records)
    for (const [field, value] of Object.entries(record.data)) {
      if (!Object.hasOwn(data, field)) {
        data[field] = value as Json;
        proofs[field] = record.proofs[field] as Proof;
      } else if (canonical(data[field]) !== canonical(value))
        rejected.push({
          value: { [field]: value as Json },
          reason: `another place says otherwise: "${record.proofs[field]?.quote.slice(0, 200)}"`,
        });
    }
  return { data, evidence: Object.entries(proofs).map(([path, proof]) => ({ path, ...proof })), rejected };
}
