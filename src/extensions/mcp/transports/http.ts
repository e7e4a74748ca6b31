/** MCP servers reached by Streamable HTTP. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { reachesOfCredentials, refusePersonalInShared } from './credentials/credential-options.ts';
import { createHttpSource, httpOptions } from './session/http-source.ts';
import { protocol, sessions } from './session/session-options.ts';

const options = z.strictObject({ ...httpOptions('https://tools.internal/mcp'), protocol, sessions }).superRefine(refusePersonalInShared);

export default definePlugin({
  type: 'tool-source',
  kind: 'http',
  title: 'Streamable HTTP',
  options,
  reaches: ({ credentials: { type } }) => reachesOfCredentials(type),
  create: (given, services) =>
    createHttpSource(given, services, async (address, transport) => {
      const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
      return new StreamableHTTPClientTransport(address, transport);
    }),
});
