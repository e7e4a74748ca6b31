/** The parts of undici that are in use. Its index loads caches, mocks, sockets and event sources, too: 2 MB of every process. */
import { createRequire } from 'node:module';
import type * as types from 'undici';

const require = createRequire(import.meta.url);
const { fetch } = require('undici/lib/web/fetch/index.js') as Pick<typeof types, 'fetch'>;

export const undici = {
  Agent: require('undici/lib/dispatcher/agent.js') as typeof types.Agent,
  Pool: require('undici/lib/dispatcher/pool.js') as typeof types.Pool,
  buildConnector: require('undici/lib/core/connect.js') as typeof types.buildConnector,
  fetch,
};
