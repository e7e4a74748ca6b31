/** Finds the URL of the service in its row or its document. */
import { isJsonObject, type JsonObject } from '../../../../types/json.ts';
import { DocumentError } from './document.ts';

/**
 * An absolute URL without a query. Throws DocumentError if there is none. A document that is fetched may change after its row was approved,
 * so it names a service at its own origin only: another one gets neither the secrets of the row nor calls into a private network.
 */
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
  const { document_url: where } = given;
  if (where !== undefined && found.origin !== new URL(where).origin)
    throw new DocumentError(`names a service at another origin than its own ("${found.origin.slice(0, 200)}"); set \`url\` to allow that`);
  found.search = '';
  found.hash = '';
  return found.href;
}
