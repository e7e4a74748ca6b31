/** Builds the HTTP request of an operation from a tool's input. The URL cannot leave the operation's path. */
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';
import type { Operation, Parameter } from './operations.ts';

/** The input is invalid. The message is for the model that wrote it. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

const plain = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
const entriesOf = (value: JsonObject): [string, string][] =>
  Object.entries(value).flatMap(([key, each]): [string, string][] => (each === undefined ? [] : [[key, plain(each)]]));

/** `simple` (RFC 6570): `a,b`, `k,v` or `k=v`. */
function simple(value: Json, explode: boolean, encode: (text: string) => string): string {
  if (Array.isArray(value)) return value.map((each) => encode(plain(each))).join(',');
  if (!isJsonObject(value)) return encode(plain(value));
  return entriesOf(value)
    .map(([key, each]) => `${encode(key)}${explode ? '=' : ','}${encode(each)}`)
    .join(',');
}

function pathValue({ field, explode, json }: Parameter, value: Json): string {
  const text = json ? encodeURIComponent(JSON.stringify(value)) : simple(value, explode, encodeURIComponent);
  // Some servers and proxies resolve these dot segments, which would call another operation.
  if (/^(?:\.|%(?:25)*2e){0,2}$/i.test(text)) throw new InputError(`${field} must not be empty, "." or ".."`);
  return text;
}

/** `deepObject`: `filter[state]=open`, at any depth. */
function deep(name: string, value: Json): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((each) => deep(`${name}[]`, each));
  if (isJsonObject(value)) return Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : deep(`${name}[${key}]`, each)));
  return [[name, plain(value)]];
}

const separators: Readonly<Record<string, string>> = { form: ',', spaceDelimited: ' ', pipeDelimited: '|' };

/** The pairs of one query parameter, not yet encoded. */
function queryPairs({ name, style, explode, json }: Parameter, value: Json): [string, string][] {
  if (json) return [[name, JSON.stringify(value)]];
  if (style === 'deepObject') return deep(name, value);
  if (Array.isArray(value)) {
    if (explode) return value.map((each) => [name, plain(each)]);
    return value.length === 0 ? [] : [[name, value.map(plain).join(separators[style] ?? ',')]];
  }
  if (!isJsonObject(value)) return [[name, plain(value)]];
  return explode
    ? entriesOf(value)
    : [
        [
          name,
          entriesOf(value)
            .flat()
            .join(separators[style] ?? ','),
        ],
      ];
}

function headerValue({ field, explode, json }: Parameter, value: Json): string {
  const text = json ? JSON.stringify(value) : simple(value, explode, (each) => each);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text))
    throw new InputError(`${field} goes into a header and must not hold line breaks or characters beyond Latin-1`);
  return text;
}

function bodyText(type: string, value: Json): string {
  if (/json\b/i.test(type)) return JSON.stringify(value);
  if (!/urlencoded/i.test(type)) return plain(value);
  if (!isJsonObject(value)) throw new InputError('body must be an object: it is sent as a form');
  const pairs = Object.entries(value).flatMap(([key, each]): [string, string][] =>
    Array.isArray(each) ? each.map((one) => [key, plain(one)]) : each === undefined ? [] : [[key, plain(each)]],
  );
  return new URLSearchParams(pairs).toString();
}

/** `base` has no query. Throws InputError. */
export function writeRequest(base: URL, operation: Operation, input: JsonObject): HttpRequest {
  const headers: Record<string, string> = {};
  const query: [string, string][] = [];
  const inPath = new Map<string, string>();
  for (const parameter of operation.parameters) {
    const value = Object.hasOwn(input, parameter.field) ? input[parameter.field] : undefined;
    if (value === undefined || value === null) continue;
    if (parameter.place === 'path') inPath.set(parameter.name, pathValue(parameter, value));
    else if (parameter.place === 'query') query.push(...queryPairs(parameter, value));
    else headers[parameter.name] = headerValue(parameter, value);
  }
  const path = operation.path.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = inPath.get(name);
    if (value === undefined) throw new InputError(`${name} is missing`);
    return value;
  });
  // Set as text, so that encoded parts stay encoded.
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`;
  url.search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  const { body } = operation;
  const given = body === null ? undefined : input[body.field];
  if (body === null || given === undefined) return { method: operation.method, url, headers, body: null };
  return { method: operation.method, url, headers: { ...headers, 'content-type': body.type }, body: bodyText(body.type, given) };
}
