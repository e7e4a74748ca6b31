/** Maps the operations of an OpenAPI document to tools: selection, names, input and output schemas. */
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';
import type { ToolDefinition } from '../../../../types/tool-source.ts';
import { DocumentError, resolved } from './document.ts';
import { collectSchemas, selfContained } from './schemas.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
type Place = 'path' | 'query' | 'header';

export interface Parameter {
  /** The field of the tool's input. */
  readonly field: string;
  readonly name: string;
  readonly place: Place;
  readonly style: string;
  readonly explode: boolean;
  /** Serialized as JSON, whatever the style. */
  readonly json: boolean;
}

export interface Operation {
  readonly method: string;
  /** With `{name}` placeholders. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** The input field that is the body, and its content type; null for none. */
  readonly body: { readonly field: string; readonly type: string } | null;
  readonly definition: ToolDefinition;
}

export interface Operations {
  readonly operations: ReadonlyMap<string, Operation>;
  /** Selected operations that were left out: `GET /x: reason`. */
  readonly left: readonly string[];
}

export interface Choice {
  /** operationIds, or `GET /path`, either with a trailing `*`; null selects every GET. */
  readonly chosen: readonly string[] | null;
  /** Headers and query parameters that Pailou sets itself. Callers neither see nor set them. Headers are in lower case. */
  readonly ownHeaders: ReadonlySet<string>;
  readonly ownQuery: ReadonlySet<string>;
}

const mostOperations = 2_000;
const mostNameLength = 64;
const mostDefinitionBytes = 100_000;
const mostBytes = 20_000_000;
const styles: Readonly<Record<Place, readonly string[]>> = {
  path: ['simple'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
};
/** Set by HTTP itself or by Pailou. OpenAPI says that the first three are never parameters. */
const unsettable = new Set(
  `accept content-type authorization cookie host content-length connection transfer-encoding upgrade te trailer expect keep-alive
  proxy-authorization forwarded x-forwarded-for x-forwarded-host x-forwarded-proto`.split(/\s+/),
);
const bodyTypes = [/^application\/(?:[\w.-]+\+)?json\b/i, /^application\/x-www-form-urlencoded\b/i, /^text\//i];

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

function isChosen({ chosen }: Choice, id: string, method: string, path: string): boolean {
  if (chosen === null) return method === 'get';
  const fits = (pattern: string, text: string): boolean =>
    pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
  const address = `${method.toUpperCase()} ${path}`;
  return chosen.some((pattern) => fits(pattern, address) || (id !== '' && fits(pattern, id)));
}

/** The operationId if it is a valid tool name. Otherwise a name derived from it, or from method and path. */
function nameOf(id: string, method: string, path: string, taken: ReadonlyMap<string, unknown>): string {
  const wanted = (id === '' ? `${method}${path}` : id).replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^_+|_+$/g, '') || method;
  const short = wanted.slice(0, mostNameLength);
  for (let count = 1; ; count++) {
    const name = count === 1 ? short : `${short.slice(0, mostNameLength - 6)}_${count}`;
    if (!taken.has(name)) return name;
  }
}

/** The parameters of the path item, overridden by the operation's own of the same name and place. */
function parametersOf(document: JsonObject, item: JsonObject, operation: JsonObject): JsonObject[] {
  const all = new Map<string, JsonObject>();
  for (const list of [item['parameters'], operation['parameters']])
    for (const given of Array.isArray(list) ? list : []) {
      const parameter = resolved(document, given);
      all.set(`${textOf(parameter['in'])} ${textOf(parameter['name'])}`, parameter);
    }
  return [...all.values()];
}

function bodyOf(
  document: JsonObject,
  operation: JsonObject,
): { type: string; schema: Json | undefined; required: boolean; words: string } | null {
  if (operation['requestBody'] === undefined) return null;
  const body = resolved(document, operation['requestBody']);
  const content = isJsonObject(body['content']) ? body['content'] : {};
  const required = body['required'] === true;
  for (const pattern of bodyTypes) {
    const type = Object.keys(content).find((each) => pattern.test(each));
    if (type !== undefined)
      return { type, schema: resolved(document, content[type])['schema'], required, words: textOf(body['description']) };
  }
  if (!required) return null;
  throw new DocumentError(
    `wants a body of ${Object.keys(content).join(' or ').slice(0, 100) || 'no stated type'}; JSON, forms and text can be sent`,
  );
}

/** The output schema, if the answer is a JSON object. MCP has no other structured content. */
function outputOf(document: JsonObject, operation: JsonObject): JsonObject | null {
  const responses = isJsonObject(operation['responses']) ? operation['responses'] : {};
  const good = Object.keys(responses)
    .filter((status) => /^2(\d\d|XX)$/i.test(status))
    .toSorted();
  // With several success responses, no output schema is declared.
  if (good.length !== 1) return null;
  const content = resolved(document, responses[good[0] ?? ''])['content'];
  const type = isJsonObject(content) ? Object.keys(content).find((each) => bodyTypes[0]?.test(each)) : undefined;
  if (type === undefined || !isJsonObject(content)) return null;
  const schema = resolved(document, content[type])['schema'];
  if (!isJsonObject(schema)) return null;
  const whole = selfContained(document, schema);
  const target = resolved(document, schema);
  if (target['type'] !== 'object' || target['nullable'] === true) return null;
  return whole['type'] === 'object' ? whole : { ...whole, type: 'object' };
}

function annotationsOf(method: string, title: string): JsonObject {
  const reads = method === 'get' || method === 'head' || method === 'options';
  return {
    ...(title === '' ? {} : { title }),
    readOnlyHint: reads,
    ...(reads ? {} : { destructiveHint: method !== 'post', idempotentHint: method === 'put' || method === 'delete' }),
    openWorldHint: true,
  };
}

function toolOf(
  document: JsonObject,
  item: JsonObject,
  operation: JsonObject,
  name: string,
  method: string,
  path: string,
  choice: Choice,
): Operation {
  const collector = collectSchemas(document);
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  const parameters: Parameter[] = [];
  const add = (wanted: string, schema: JsonObject, words: string, needed: boolean): string => {
    let field = wanted;
    while (Object.hasOwn(properties, field)) field += '_';
    properties[field] = words === '' || typeof schema['description'] === 'string' ? schema : { ...schema, description: words };
    if (needed) required.push(field);
    return field;
  };

  for (const parameter of parametersOf(document, item, operation)) {
    const own = textOf(parameter['name']);
    const place = textOf(parameter['in']);
    const needed = parameter['required'] === true;
    const isOurs =
      (place === 'header' && (choice.ownHeaders.has(own.toLowerCase()) || unsettable.has(own.toLowerCase()))) ||
      (place === 'query' && choice.ownQuery.has(own));
    if (isOurs || (place === 'cookie' && !needed)) continue;
    if (place !== 'path' && place !== 'query' && place !== 'header')
      throw new DocumentError(`needs "${own}" in a ${place.slice(0, 20)}, which is not sent`);
    if (place === 'header' && !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(own))
      throw new DocumentError(`has a header "${own.slice(0, 50)}", which cannot be one`);
    const content = isJsonObject(parameter['content']) ? Object.values(parameter['content'])[0] : undefined;
    const style = textOf(parameter['style']) || (styles[place][0] as string);
    if (content === undefined && !styles[place].includes(style))
      throw new DocumentError(`has "${own}" in the style ${style.slice(0, 20)}, which is not written`);
    const schema = collector.take(content === undefined ? parameter['schema'] : resolved(document, content)['schema']);
    const field = add(own === 'body' ? 'body_' : own, schema, textOf(parameter['description']), needed || place === 'path');
    const explode = typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form';
    parameters.push({ field, name: own, place, style, explode, json: content !== undefined });
  }
  for (const [, place = ''] of path.matchAll(/\{([^{}]*)\}/g))
    if (!parameters.some((parameter) => parameter.place === 'path' && parameter.name === place))
      throw new DocumentError(`does not say what {${place.slice(0, 50)}} in its path is`);

  // GET and HEAD have no body (RFC 9110).
  const given = method === 'get' || method === 'head' ? null : bodyOf(document, operation);
  const body = given === null ? null : { type: given.type, field: add('body', collector.take(given.schema), given.words, given.required) };
  const definitions = collector.definitions();
  const output = outputOf(document, operation);
  const title = textOf(operation['summary']).slice(0, 200);
  const words = [title, textOf(operation['description'])].filter((each) => each !== '').join('\n\n');
  return {
    method: method.toUpperCase(),
    path,
    parameters,
    body,
    definition: {
      name,
      ...(title === '' ? {} : { title }),
      description: (words || `${method.toUpperCase()} ${path}`).slice(0, 10_000),
      inputSchema: {
        type: 'object',
        properties,
        ...(required.length === 0 ? {} : { required }),
        additionalProperties: false,
        ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }),
      },
      ...(output === null ? {} : { outputSchema: output }),
      annotations: annotationsOf(method, title),
    },
  };
}

/** Maps the selected operations to tools. An operation that cannot be mapped is left out; `left` gives the reason. */
export function readOperations(document: JsonObject, choice: Choice): Operations {
  const operations = new Map<string, Operation>();
  const left: string[] = [];
  let bytes = 0;
  const paths = isJsonObject(document['paths']) ? document['paths'] : {};
  for (const [path, given] of Object.entries(paths)) {
    if (!path.startsWith('/')) continue;
    for (const method of methods) {
      try {
        const item = resolved(document, given);
        if (!isJsonObject(item[method])) continue;
        const operation = item[method];
        const id = textOf(operation['operationId']);
        if (!isChosen(choice, id, method, path)) continue;
        const tool = toolOf(document, item, operation, nameOf(id, method, path, operations), method, path, choice);
        const size = JSON.stringify(tool.definition).length;
        bytes += size;
        if (operations.size >= mostOperations || bytes > mostBytes) throw new DocumentError('is one too many');
        if (size > mostDefinitionBytes) throw new DocumentError(`has a definition of more than ${mostDefinitionBytes} bytes`);
        operations.set(tool.definition.name, tool);
      } catch (thrown) {
        if (!(thrown instanceof DocumentError)) throw thrown;
        left.push(`${method.toUpperCase()} ${path} ${thrown.message}`.slice(0, 500));
      }
    }
  }
  return { operations, left };
}
