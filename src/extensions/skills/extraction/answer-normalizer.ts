/** Normalizes near-miss answers of a model to the requested schema. Adds no data; values are verified afterwards. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { within } from './value-paths.ts';
import { numberIn } from './numbers.ts';

/** The types that the schema allows at a path. Empty when the schema does not restrict them. */
export type TypesOf = (path: string) => ReadonlySet<string>;

const nothing = /^(n\/?a|none|null|nil|unknown|not (available|applicable|specified|stated|found|given|mentioned)|[-\u2013\u2014]?)$/i;

/** Undefined for nothing. A value changes its type only when there is one way to read it. */
function valueMeant(value: string, types: ReadonlySet<string>): Json | undefined {
  const text = value.trim();
  if (types.size === 0 || types.has('string')) return value;
  if (nothing.test(text)) return undefined;
  if (types.has('number') || types.has('integer')) return numberIn(text) ?? value;
  if (types.has('boolean') && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return value;
}

function dataMeant(value: Json, path: string, typesOf: TypesOf): Json | undefined {
  if (typeof value === 'string') return valueMeant(value, typesOf(path));
  // A null item keeps its index, because quotes refer to indexes.
  if (Array.isArray(value)) return value.map((each: Json, index) => dataMeant(each, `${path}[${index}]`, typesOf) ?? each);
  if (!isJsonObject(value)) return value;
  const fields = Object.entries(value).flatMap(([key, each]): [string, Json][] => {
    const normalized = dataMeant(each as Json, within(path, key), typesOf);
    return normalized === undefined || normalized === null ? [] : [[key, normalized]];
  });
  return Object.fromEntries(fields);
}

/** Quotes by path, given flat or nested like the data. Several quotes for one value are joined as one with omissions. */
function quotesMeant(quotes: Json, data: Json | undefined, path: string): [string, Json][] {
  if (quotes === null) return [];
  if (Array.isArray(quotes) && !Array.isArray(data) && quotes.every((each) => typeof each === 'string'))
    return [[path, quotes.join(' … ')]];
  if (Array.isArray(quotes))
    return quotes.flatMap((each: Json, index) => quotesMeant(each, Array.isArray(data) ? data[index] : undefined, `${path}[${index}]`));
  if (!isJsonObject(quotes)) return [[path, quotes]];
  return Object.entries(quotes).flatMap(([key, each]) =>
    quotesMeant(each as Json, isJsonObject(data) ? data[key] : undefined, within(path, key)),
  );
}

function recordMeant(record: Json, typesOf: TypesOf): Json {
  if (!isJsonObject(record)) return record;
  const { data, quotes } = record;
  return {
    ...record,
    ...(data === undefined ? {} : { data: dataMeant(data, '', typesOf) ?? null }),
    ...(isJsonObject(quotes) ? { quotes: Object.fromEntries(quotesMeant(quotes, data, '')) } : {}),
  };
}

export function normalizeAnswer(answer: Json, typesOf: TypesOf): Json {
  const isRecord = isJsonObject(answer) && answer['records'] === undefined && isJsonObject(answer['data']);
  const whole: Json = Array.isArray(answer) ? { records: answer } : isRecord ? { records: [answer] } : answer;
  if (!isJsonObject(whole) || !Array.isArray(whole['records'])) return whole;
  const given: JsonObject = whole;
  return { ...given, records: (given['records'] as readonly Json[]).map((record) => recordMeant(record, typesOf)) };
}
