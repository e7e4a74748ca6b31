/** MCP servers that still use the first transport, HTTP with Server-Sent Events (2024-11-05). */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { authorised, tokensFor } from './credentials/bearer-fetch.ts';
import { credentials, headers, isPersonal, reachesOfCredentials, refusePersonalInShared } from './credentials/credential-options.ts';
import { sessions } from './session/session-options.ts';
import { createSession } from './session/session.ts';

const options = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address such as https://tools.internal/sse' }).max(2_000),
    headers,
    credentials,
    sessions,
  })
  .superRefine(refusePersonalInShared);

export default definePlugin({
  type: 'tool-source',
  kind: 'sse',
  title: 'HTTP with Server-Sent Events (servers of 2024)',
  options,
  reaches: ({ credentials: { type } }) => reachesOfCredentials(type),
  async create({ url, headers: fixed, credentials: given, ...rest }, services) {
    const address = services.checkUrl(url, 'spec.options.url');
    const { tokens, secrets, accounts } = await tokensFor(given, Object.values(fixed), services, address);
    const source = createSession({
      ...rest,
      protocol: 'legacy',
      listsAlone: !isPersonal(given),
      mostOwn: 1_000,
      secrets,
      logger: services.logger,
      transport: async (latest) => {
        const { SSEClientTransport } = await import('@modelcontextprotocol/client');
        const fetch = tokens === null ? services.fetch : authorised(services.fetch, tokens, latest);
        return new SSEClientTransport(address, { fetch, requestInit: { headers: fixed } });
      },
    });
    return accounts === undefined ? source : Object.assign(source, { accounts });
  },
});
