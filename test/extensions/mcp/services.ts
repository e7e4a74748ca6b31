/** What the plugins of these tests are given of the house, and who calls. */
import type { Principal } from '../../../src/types/access.ts';
import type { Logger } from '../../../src/types/logger.ts';
import type { PluginServices } from '../../../src/types/plugin.ts';
import type { McpServerEntry } from '../../../src/types/snapshot.ts';
import type { ToolSource } from '../../../src/types/tool-source.ts';

const say = (): void => {};
export const logger = { debug: say, info: say, warn: say, error: say } as unknown as Logger;

export const services: PluginServices = { logger, mode: 'development', stdioCommands: ['node'], checkUrl: (url) => new URL(url), fetch };

export function person(subject: string): Principal {
  return {
    subject,
    username: subject,
    tenant: 'default',
    roles: ['user'],
    permissions: new Set(),
    client: null,
    issuer: 'https://issuer.test',
    credential: 'token',
    expiresAt: Date.now() + 3_600_000,
  };
}
export const principal = person('tester');

export function entryOf(name: string, instance: ToolSource, allowed: string[] | null = null): McpServerEntry {
  return {
    id: name,
    name,
    capability: { kind: 'mcp', name, tenant: 'default', owner: null, tags: [] },
    spec: {
      kind: 'stdio',
      description: '',
      options: {},
      tags: [],
      allowed_tools: allowed,
      call_timeout_ms: 10_000,
    },
    instance,
  };
}
