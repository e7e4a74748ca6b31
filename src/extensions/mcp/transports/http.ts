/** MCP servers reached by Streamable HTTP. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { headerSecret } from '../../../types/secret.ts';
import { protocol, sessions } from './session/options.ts';
import { createSession } from './session/session.ts';

const options = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address such as https://tools.internal/mcp' }).max(2_000),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'letters, digits and -'), headerSecret())
    .default({})
    .describe("Sent with each request, e.g. the server's own Authorization. The caller's token never is."),
  protocol,
  sessions,
});

export default definePlugin({
  type: 'tool-source',
  kind: 'http',
  title: 'Streamable HTTP',
  options,
  create({ url, headers, ...rest }, services) {
    const address = services.checkUrl(url, 'spec.options.url');
    return createSession({
      ...rest,
      listsAlone: true,
      mostOwn: 1_000,
      secrets: Object.values(headers),
      logger: services.logger,
      transport: async () => {
        const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
        return new StreamableHTTPClientTransport(address, { fetch: services.fetch, requestInit: { headers } });
      },
    });
  },
});
