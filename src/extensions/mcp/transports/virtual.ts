/** A virtual server: a selection of other servers' tools under one address, with its own grants. It opens no connection. */
import { z } from 'zod';
import { GatewayError } from '../../../types/errors.ts';
import { definePlugin } from '../../../types/plugin.ts';
import { emptyServerListing } from '../../../types/tool-source.ts';

const options = z.strictObject({
  tools: z
    .array(
      z
        .string()
        .regex(/^[^/\s]+\/\S+$/, '<server>/<tool>, or <server>/* for all tools of one server; a trailing * matches any rest')
        .max(300),
    )
    .min(1)
    .max(500)
    .describe('The selected tools. Callers with the right to this server may use them through it, whatever their other rights.'),
});

export default definePlugin({
  type: 'tool-source',
  connects: false,
  kind: 'virtual',
  title: 'Selection of tools of other servers (virtual)',
  reaches: () => ['tools-of-others'],
  options,
  create: () => ({
    list: async () => emptyServerListing,
    call: () =>
      Promise.reject(new GatewayError('internal_error', 'A virtual server was called in place of the server that it selects from.')),
    onChange: () => () => {},
    [Symbol.asyncDispose]: async () => {},
  }),
});
