/** Parses an OpenAPI document (3.0 or 3.1, JSON or YAML), within bounds and with local references only. */
import { pointedTo } from '../../../../schema/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';

/** The document cannot be used. The message gives the reason to the person who registers it. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
}

const mostDepth = 200;
/** Bound on YAML aliases; a few nested ones can expand to gigabytes. */
const mostAliases = 1_000;
const mostReferences = 100;

function isTooDeep(value: Json, depth = 0): boolean {
  if (depth > mostDepth) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((each) => isTooDeep(each as Json, depth + 1));
}

async function parse(text: string): Promise<Json> {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text) as Json;
    } catch (thrown) {
      // YAML accepts more than JSON: `{a: 1}` is YAML too.
      if (/^\s*\{\s*"/.test(text)) throw new DocumentError(`is not valid JSON (${(thrown as Error).message.slice(0, 200)})`);
    }
  }
  const { parse: parseYaml } = await import('yaml');
  try {
    return parseYaml(text, { maxAliasCount: mostAliases }) as Json;
  } catch (thrown) {
    throw new DocumentError(`is neither JSON nor YAML that can be read (${(thrown as Error).message.split('\n')[0]?.slice(0, 200)})`);
  }
}

/** Parses the document and checks its required parts. Throws DocumentError. */
export async function readDocument(given: string | JsonObject): Promise<JsonObject> {
  const document = typeof given === 'string' ? await parse(given) : given;
  if (!isJsonObject(document)) throw new DocumentError('is no OpenAPI document: it should begin with `openapi: 3.1.0` or `openapi: 3.0.3`');
  if ('swagger' in document) throw new DocumentError('is of version 2 (Swagger); convert it to OpenAPI 3.0 or 3.1');
  const { openapi } = document;
  const version = typeof openapi === 'string' || typeof openapi === 'number' ? String(openapi) : '';
  if (!/^3\.[012](\.|$)/.test(version)) throw new DocumentError(`says openapi: "${version.slice(0, 20)}"; versions 3.0 to 3.2 can be read`);
  if (isTooDeep(document)) throw new DocumentError(`is nested more than ${mostDepth} levels deep`);
  if (!isJsonObject(document['paths'])) throw new DocumentError('has no `paths`, so there is nothing to call');
  return document;
}

/** Resolves a local reference such as `#/components/schemas/Pet`. Throws DocumentError. */
export function lookUp(document: JsonObject, reference: string): Json {
  if (!reference.startsWith('#/'))
    throw new DocumentError(
      `refers to "${reference.slice(0, 200)}", outside of the document; put everything into one (a bundler does that)`,
    );
  const found = pointedTo(document, reference);
  if (found === undefined) throw new DocumentError(`refers to "${reference.slice(0, 200)}", which is not in it`);
  return found;
}

/** The object itself, after following references. Throws DocumentError for a value that is no object, and for a cycle. */
export function resolved(document: JsonObject, value: Json | undefined): JsonObject {
  let found = value;
  for (let step = 0; step < mostReferences; step++) {
    if (!isJsonObject(found)) break;
    const reference = found['$ref'];
    if (typeof reference !== 'string') return found;
    found = lookUp(document, reference);
  }
  throw new DocumentError('has a reference that leads to nothing that could be used');
}
