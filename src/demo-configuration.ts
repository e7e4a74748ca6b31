/** The demo configuration of a first start in development mode: models and tools that are labelled as demos, open to all callers. */
import { fileURLToPath } from 'node:url';
import type { ConfigService } from './config/service.ts';
import { toGatewayError } from './types/errors.ts';
import type { Logger } from './types/logger.ts';
import type { ResourceKind } from './types/resources.ts';
import type { StdioProgram } from './types/stdio-programs.ts';
import type { Writer } from './types/writes.ts';

const demoWriter = 'pailou';

/** The writer of a first start: the rows go into an empty configuration. */
const writerIn = (tenant: string): Writer => ({
  actor: { subject: demoWriter, username: 'pailou', tenant, requestId: 'first-start', isAdministrator: true },
  kinds: ['provider', 'model', 'mcp', 'skill', 'grant'],
  decide: ({ reaches }) => ({
    allowed: true,
    rule: 'first-start',
    reason: 'A first start in development mode writes its demo rows.',
    basis: Object.fromEntries(reaches.map(({ key }) => [key, 'administrator'])),
  }),
});
const exampleServer = fileURLToPath(new URL('../examples/mcp-server/server.ts', import.meta.url));

/** The program of the demo server. */
export const demoProgram: StdioProgram = {
  name: 'pailou-demo',
  command: 'node',
  args: [exampleServer],
  parameters: {},
  env: [],
  cwd: null,
  tenants: null,
};

const demoModel = (description: string, ...upstream: string[]) => ({
  description,
  tags: ['demo'],
  deployments: upstream.map((model, tier) => ({ provider: 'demo', model, tier })),
});

const rows: readonly { kind: ResourceKind; name: string; spec: unknown }[] = [
  { kind: 'provider', name: 'demo', spec: { kind: 'demo' } },
  { kind: 'model', name: 'demo/echo', spec: demoModel('Repeats your message. Not an AI.', 'echo') },
  { kind: 'model', name: 'demo/tools', spec: demoModel('Calls the tools of the request. Not an AI.', 'tools') },
  {
    kind: 'model',
    name: 'demo/flaky',
    spec: demoModel('Its first deployment fails each time in another way; the second answers. Not an AI.', 'flaky', 'echo'),
  },
  { kind: 'model', name: 'demo/slow', spec: demoModel('Thinks for two seconds before it speaks. Not an AI.', 'slow') },
  {
    kind: 'model',
    name: 'demo/embedding',
    spec: { ...demoModel('Vectors from hashed words. Not an AI.', 'embedding'), operations: ['embeddings'] },
  },
  {
    kind: 'mcp',
    name: 'demo',
    spec: { kind: 'stdio', description: 'A clock and a calculator.', tags: ['demo'], options: { program: 'pailou-demo' } },
  },
  {
    kind: 'skill',
    name: 'demo-greeting',
    spec: {
      kind: 'prompt',
      description: 'Greets a person by name, as far as a demo model can.',
      model: 'demo/echo',
      tags: ['demo'],
      options: {
        instructions: 'You greet people warmly.',
        prompt: 'Greet {{name}}.',
        input_schema: {
          type: 'object',
          properties: { name: { type: 'string', description: 'Whom to greet.' } },
          required: ['name'],
          additionalProperties: false,
        },
      },
    },
  },
  ...['model/demo/*', 'skill/demo-greeting', 'mcp/demo'].map((capability) => ({
    kind: 'grant' as const,
    name: `demo-${capability.replaceAll(/[^a-z]+/g, '-').replaceAll(/^-|-$/g, '')}`,
    spec: { subject_type: 'role', subject: 'user', capability, action: 'use' },
  })),
  {
    kind: 'grant',
    name: 'demo-provider',
    spec: { subject_type: 'role', subject: 'developer', capability: 'provider/demo', action: 'use' },
  },
];

const writeRows = (config: ConfigService, tenant: string): Promise<unknown> =>
  config.change(
    writerIn(tenant),
    rows.map((row) => ({ ...row, tenant, operation: 'create' as const, enabled: true, owner: null })),
    'first start: demo models, tools and skill',
  );

/** Writes the demo rows into an empty configuration as one revision, in the tenant of tokens that name none. Does nothing when anything was ever configured. */
export async function seedDemo(config: ConfigService, tenant: string): Promise<void> {
  if (config.current().revision === 0) await writeRows(config, tenant);
}

/** The number of tenants that get demo rows. More are configured by their administrators. */
const maxTenants = 50;

/**
 * Returns a function that gives a tenant of a token the demo rows, before the first call of its people. Does nothing for a tenant in which
 * anything was ever configured, or when the configuration did not begin with demo rows in `home`. The function returns null when there is
 * nothing to wait for.
 */
export function createDemoTenants(config: ConfigService, home: string, logger: Logger): (tenant: string) => Promise<void> | null {
  const settled = new Set<string>([home]);
  const pending = new Map<string, Promise<void>>();
  const firstWriter = async (tenant: string): Promise<string | undefined> =>
    (await config.history({ tenant, after: 0, limit: 1 }))[0]?.actor;

  const prepare = async (tenant: string): Promise<void> => {
    try {
      if ((await firstWriter(home)) === demoWriter && (await firstWriter(tenant)) === undefined) await writeRows(config, tenant);
      settled.add(tenant);
    } catch (thrown) {
      // Another node may have written them. Without the database, the next call tries again.
      if (toGatewayError(thrown).status < 500) settled.add(tenant);
      logger.info({ err: thrown, tenant }, 'the demo rows of a tenant were not written');
    }
  };

  return (tenant) => {
    if (settled.has(tenant) || settled.size > maxTenants) return null;
    let work = pending.get(tenant);
    if (work === undefined) {
      work = prepare(tenant).finally(() => pending.delete(tenant));
      pending.set(tenant, work);
    }
    return work;
  };
}
