/** Finds the URL of the service in its row or its document. */
import { isJsonObject, type JsonObject } from '../../../../types/json.ts';
import { DocumentError } from './document.ts';

/** An absolute URL without a query. Throws DocumentError if there is none. */
export function serviceAddress(
  document: JsonObject,
  given: { readonly url: string | undefined; readonly document_url: string | undefined },
): string {
  if (given.url !== undefined) return given.url;
  const server = Array.isArray(document['servers']) ? document['servers'][0] : undefined;
  const template = isJsonObject(server) && typeof server['url'] === 'string' ? server['url'] : '/';
  const variables = isJsonObject(server) && isJsonObject(server['variables']) ? server['variables'] : {};
  const written = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const value = isJsonObject(variable) ? variable['default'] : undefined;
    if (typeof value !== 'string') throw new DocumentError(`does not say what {${name.slice(0, 50)}} in its servers is; set \`url\``);
    return value;
  });
  const found = URL.parse(written, given.document_url);
  if (found === null || !/^https?:$/.test(found.protocol))
    throw new DocumentError(`names no absolute address of the service in its servers ("${written.slice(0, 200)}"); set \`url\``);
  found.search = '';
  found.hash = '';
  return found.href;
}
