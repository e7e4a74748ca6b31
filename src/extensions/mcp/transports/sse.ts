/** MCP servers that still use the first transport, HTTP with Server-Sent Events (2024-11-05). */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { reachesOfCredentials, refusePersonalInShared } from './credentials/credential-options.ts';
import { createHttpSource, httpOptions } from './session/http-source.ts';
import { sessions } from './session/session-options.ts';

const options = z.strictObject({ ...httpOptions('https://tools.internal/sse'), sessions }).superRefine(refusePersonalInShared);

export default definePlugin({
  type: 'tool-source',
  kind: 'sse',
  title: 'HTTP with Server-Sent Events (servers of 2024)',
  options,
  reaches: ({ credentials: { type } }) => reachesOfCredentials(type),
  create: (given, services) =>
    createHttpSource({ ...given, protocol: 'legacy' }, services, async (address, transport) => {
      const { SSEClientTransport } = await import('@modelcontextprotocol/client');
      return new SSEClientTransport(address, transport);
    }),
});
