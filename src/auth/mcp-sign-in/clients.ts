/**
 * MCP clients without storage. A registration (RFC 7591) is its own client id, sealed, because an open table could be filled by anyone.
 * A client id that is an https URL names a client id metadata document. It is fetched through the guard for untrusted URLs.
 */
import { LRUCache } from 'lru-cache';
import type { OutboundGuard } from '../../outbound/guard.ts';
import type { SecretBox } from '../../storage/secret-box.ts';
import { type McpClient, readClientMetadata } from './client-metadata.ts';
import { OauthError } from './oauth-error.ts';

export interface McpClients {
  /** Throws OauthError. */
  register(metadata: unknown): McpClient;
  /** Rejects with OauthError `invalid_client`. */
  find(id: string): Promise<McpClient>;
}

export interface McpClientsOptions {
  readonly box: SecretBox;
  /** For addresses that callers name. */
  readonly guard: OutboundGuard;
  readonly fetch: typeof fetch;
}

const registered = 'reg_';
const context = 'mcp client';
const mostBytes = 10_000;
const timeoutMs = 5_000;
const rememberMs = 300_000;
const longestAddress = 500;

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export function createMcpClients({ box, guard, fetch: guarded }: McpClientsOptions): McpClients {
  const known = new LRUCache<string, McpClient>({ max: 1_000, ttl: rememberMs });
  const unknown = (why: string, cause?: unknown): OauthError => new OauthError('invalid_client', `client_id: ${why}.`, cause);

  const readDocument = async (id: string): Promise<McpClient> => {
    const address = guard.checkUrl(id, 'client_id');
    if (address.href !== id || address.pathname === '/' || address.search !== '' || id.includes('#') || id.length > longestAddress)
      throw unknown('the address of a metadata document has a path, no query and no fragment');
    const response = await guarded(address, {
      redirect: 'manual',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw unknown(`its metadata document answers with HTTP ${response.status}`);
    }
    const document = JSON.parse(await readText(response)) as {
      readonly client_id?: unknown;
      readonly token_endpoint_auth_method?: unknown;
    };
    if (document.client_id !== id) throw unknown('its metadata document names another client_id');
    const { token_endpoint_auth_method: method = 'none' } = document;
    if (method !== 'none') throw unknown('only public clients are served: token_endpoint_auth_method must be none');
    return readClientMetadata(document, id);
  };

  return {
    register(metadata) {
      const { name, redirectUris } = readClientMetadata(metadata, '');
      const id = registered + box.seal(JSON.stringify({ name, redirectUris }), context).$sealed;
      return { id, name, redirectUris };
    },

    async find(id) {
      if (id.startsWith(registered)) {
        try {
          return { id, ...(JSON.parse(box.open({ $sealed: id.slice(registered.length) }, context)) as Omit<McpClient, 'id'>) };
        } catch (cause) {
          throw unknown('there is no such registration here; register again', cause);
        }
      }
      if (!id.startsWith('https://'))
        throw unknown('it is neither a registration of this gateway nor the https address of a metadata document');
      const cached = known.get(id);
      if (cached !== undefined) return cached;
      try {
        const client = await readDocument(id);
        known.set(id, client);
        return client;
      } catch (cause) {
        if (cause instanceof OauthError) throw cause;
        throw unknown('its metadata document cannot be read', cause);
      }
    },
  };
}
