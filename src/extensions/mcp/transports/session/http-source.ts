/** A tool source for an MCP server with a URL: options, credentials and redaction that all transports over HTTP share. */
import type { Transport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { PluginServices } from '../../../../types/plugin.ts';
import type { ToolSource } from '../../../../types/tool-source.ts';
import { authorised, tokensFor } from '../credentials/bearer-fetch.ts';
import { type Credentials, credentials, headers, isPersonal } from '../credentials/credential-options.ts';
import type { ProtocolEra } from './connection.ts';
import { createSession } from './session.ts';

/** Options of a server with a URL. `example` is a valid URL for the error message. */
export function httpOptions(example: string) {
  return {
    url: z.url({ protocol: /^https?$/, error: `must be an http:// or https:// address such as ${example}` }).max(2_000),
    headers,
    credentials,
  };
}

interface HttpSourceOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
  readonly protocol: ProtocolEra;
  readonly sessions: 'shared' | 'user';
}

/** The part of the SDK's transport options that both transports take. */
export interface HttpTransportOptions {
  readonly fetch: typeof fetch;
  readonly requestInit: { readonly headers: Record<string, string> };
}

/** `connect` creates the SDK's transport to the checked URL. Throws `configuration_invalid` for a URL that the outbound guard refuses. */
export async function createHttpSource(
  { url, headers: fixed, credentials: given, ...rest }: HttpSourceOptions,
  services: PluginServices,
  connect: (address: URL, options: HttpTransportOptions) => Promise<Transport>,
): Promise<ToolSource> {
  const address = services.checkUrl(url, 'spec.options.url');
  const { tokens, secrets, accounts } = await tokensFor(given, Object.values(fixed), services, address);
  const source = createSession({
    ...rest,
    listsAlone: !isPersonal(given),
    mostOwn: 1_000,
    secrets,
    logger: services.logger,
    transport: (latest) =>
      connect(address, {
        fetch: tokens === null ? services.fetch : authorised(services.fetch, tokens, latest),
        requestInit: { headers: { ...fixed } },
      }),
  });
  return accounts === undefined ? source : Object.assign(source, { accounts });
}
