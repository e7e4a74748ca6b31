/** Source of the OpenAPI document: inline in the row, or a URL that is fetched with conditional requests. */
import type { JsonObject } from '../../../../types/json.ts';
import type { PluginServices } from '../../../../types/plugin.ts';
import { readBounded } from '../session/bounded-body.ts';
import { DocumentError, readDocument } from './document.ts';

const mostBytes = 10_000_000;
const timeoutMs = 20_000;

export interface DocumentSource {
  /** Returns the same object while nothing changed. Throws DocumentError, or the network error. */
  read(signal: AbortSignal): Promise<JsonObject>;
}

export function createDocumentSource(options: {
  readonly document: JsonObject | null;
  readonly document_url: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly services: PluginServices;
}): DocumentSource {
  const { document, document_url: where, services } = options;
  let kept: { readonly etag: string | null; readonly text: string; readonly document: JsonObject } | null = null;
  if (document !== null) return { read: async () => document };
  const url = new URL(where ?? '');
  // The service's secrets are sent to its own origin only. A document on another origin is fetched without them.
  const isSame = options.url === undefined || new URL(options.url).origin === url.origin;
  return {
    async read(signal) {
      const response = await services.fetch(url, {
        headers: {
          accept: 'application/json, application/yaml, text/yaml, */*;q=0.5',
          ...(isSame ? options.headers : {}),
          ...(kept?.etag == null ? {} : { 'if-none-match': kept.etag }),
        },
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      if (response.status === 304 && kept !== null) {
        await response.body?.cancel();
        return kept.document;
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new DocumentError(`cannot be read: its address answered with HTTP ${response.status}`);
      }
      const body = await readBounded(response, mostBytes);
      if (body === null) throw new DocumentError(`is larger than ${mostBytes} bytes`);
      const text = body.toString('utf8');
      if (kept?.text === text) return kept.document;
      kept = { etag: response.headers.get('etag'), text, document: await readDocument(text) };
      return kept.document;
    },
  };
}
