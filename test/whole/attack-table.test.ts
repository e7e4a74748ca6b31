/**
 * What a developer can change for other people: each permitted act is tried as an attack over HTTP, on both databases, before and after
 * a restart. The table of `docs/access.md` is generated here, and the build fails when it differs.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase } from '../storage/databases.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';
import { startAttackerServer, type AttackerServer } from './attacker-server.ts';
import { startVendor, type Vendor } from './vendor.ts';

const chief = chiefOf('acme');
const eve: Person = { subject: 'eve', tenant: 'acme', roles: ['developer'] };
const dan: Person = { subject: 'dan', tenant: 'acme', roles: ['developer'] };
const una: Person = { subject: 'una', tenant: 'acme', roles: ['user'] };
const victims = { 'an administrator': chief, 'a second developer': dan, 'a user': una };
const canary = 'the-company-key-canary';

interface Scene {
  readonly companies: Companies;
  readonly vendor: Vendor;
  readonly trap: AttackerServer;
  readonly tools: ToolServer;
  /** The id of a key of the second developer. */
  readonly key: string;
}

/** The possible effects of an act on others. Sentences complete "can a developer …?". */
interface Act {
  readonly act: string;
  readonly change: string;
  /** The requests of the developer; none of an attack may succeed. */
  readonly attempt: (scene: Scene) => Promise<readonly number[]>;
}

const provider = (url: string, key = '***') => ({ kind: 'openai-compatible', options: { base_url: `${url}/v1`, api_key: key } });
const exchange = (url: string) => ({
  kind: 'http',
  options: {
    url: `${url}/mcp`,
    sessions: 'user',
    credentials: { type: 'token_exchange', token_url: `${url}/token`, client_id: 'x', client_secret: 'y' },
  },
});
const model = (name: string, more: object = {}) => ({ deployments: [{ provider: name, model: 'm', ...more }] });
const free = { currency: 'USD', input: '0', output: '0' };

const skill = { description: 'Helps.', model: 'eves', runs_as: 'skill', options: { instructions: 'Help.' } };

/** First a name without a provider, then the name of a provider. */
async function swapped(companies: Companies): Promise<number> {
  const { id } = (await companies.must(eve, 'GET', '/api/providers/company')).json as { id: string };
  await companies.as(eve, 'POST', '/api/models', { name: 'swapped', enabled: false, spec: model(id) });
  return (await companies.as(eve, 'PUT', '/api/models/swapped', { enabled: true, spec: model('company') })).status;
}

const acts: readonly Act[] = [
  {
    act: 'create, change or try an MCP server',
    change: 'whose token goes where',
    attempt: async ({ companies, trap: attacker }) => [
      (await companies.as(eve, 'POST', '/api/mcp-servers', { name: 'notes', spec: exchange(attacker.url) })).status,
      (await companies.as(eve, 'PUT', '/api/mcp-servers/eves', { spec: exchange(attacker.url) })).status,
      (await companies.as(eve, 'POST', '/api/mcp-servers/test', { spec: exchange(attacker.url) })).status,
      (await companies.as(eve, 'PUT', '/api/mcp-servers/lent', { spec: { kind: 'http', options: { url: attacker.url } } })).status,
    ],
  },
  {
    act: 'start a program, or offer tools of others',
    change: 'what runs on the machine, and who may call what',
    attempt: async ({ companies }) => {
      const program = { kind: 'stdio', options: { command: 'node', args: ['-e', '1'] } };
      const lending = { kind: 'virtual', options: { tools: ['company/*'] } };
      return Promise.all(
        [program, lending].flatMap((spec) => [
          companies.as(eve, 'POST', '/api/mcp-servers', { name: 'more', spec }).then(({ status }) => status),
          companies.as(eve, 'POST', '/api/mcp-servers/test', { spec }).then(({ status }) => status),
        ]),
      );
    },
  },
  {
    act: 'use the provider of another person in a model',
    change: 'what the company pays',
    attempt: async ({ companies }) => [
      (await companies.as(eve, 'POST', '/api/models', { name: 'mine', spec: model('company') })).status,
      (await companies.as(eve, 'POST', '/api/models/test', { spec: model('company') })).status,
      (await companies.as(eve, 'PUT', '/api/models/eves', { spec: model('company') })).status,
      await swapped(companies),
    ],
  },
  {
    act: 'connect a provider or a server',
    change: 'what Pailou reaches in private networks',
    attempt: async ({ companies }) => {
      const [vendor, server] = [provider('http://10.0.0.1', 'k'), { kind: 'http', options: { url: 'http://10.0.0.1/mcp' } }];
      return [
        (await companies.as(eve, 'POST', '/api/providers', { name: 'inner', spec: vendor })).status,
        (await companies.as(eve, 'PUT', '/api/providers/eves', { spec: vendor })).status,
        (await companies.as(eve, 'POST', '/api/providers/test', { spec: vendor, model: 'm' })).status,
        (await companies.as(eve, 'POST', '/api/mcp-servers', { name: 'inner', spec: server })).status,
        (await companies.as(eve, 'POST', '/api/mcp-servers/test', { spec: server })).status,
      ];
    },
  },
  {
    act: 'choose the name or the prefix of a server or a model',
    change: 'which server answers a call',
    attempt: async ({ companies, tools }) => {
      const server = (more: object) => ({ kind: 'http', options: { url: tools.url }, ...more });
      return [
        (await companies.as(eve, 'POST', '/api/mcp-servers', { name: 'evil', spec: server({ prefix: 'company' }) })).status,
        (await companies.as(eve, 'PUT', '/api/mcp-servers/eves', { spec: server({ prefix: 'company__x' }) })).status,
        (await companies.as(eve, 'POST', '/api/mcp-servers', { name: 'skill', spec: server({}) })).status,
        (await companies.as(eve, 'POST', '/api/models', { name: 'mcp/company', spec: model('eves') })).status,
        (await companies.as(eve, 'POST', '/api/models', { name: 'skill/x', spec: model('eves') })).status,
      ];
    },
  },
  {
    act: 'take a name or a tag that grants and limits go by',
    change: 'whom a grant or a limit reaches',
    attempt: async ({ companies }) => [
      (await companies.as(eve, 'POST', '/api/models', { name: 'team-mine', spec: model('eves') })).status,
      (await companies.as(eve, 'POST', '/api/models', { name: 'mine', spec: { ...model('eves'), tags: ['blessed'] } })).status,
      (await companies.as(eve, 'PUT', '/api/models/eves', { spec: { ...model('eves'), tags: ['blessed'] } })).status,
    ],
  },
  {
    act: 'write and publish a skill',
    change: 'with whose rights it runs',
    attempt: async ({ companies }) => {
      const runs_as_allowed = { version: '1.0.0', digest: 'x', by: chief.subject, at: '2026-01-01T00:00:00Z' };
      return [
        (await companies.as(eve, 'POST', '/api/skills/eves/runs-as', { version: '1.0.0' })).status,
        (await companies.as(eve, 'PUT', '/api/skills/eves', { spec: { ...skill, runs_as_allowed } })).status,
      ];
    },
  },
  {
    act: 'make keys, ask for usage and decisions',
    change: 'keys of others, and information about them',
    attempt: async ({ companies, key }) => [
      (await companies.as(eve, 'DELETE', `/api/keys/${key}`)).status,
      (await companies.as(eve, 'GET', '/api/usage?user=dan')).status,
      (await companies.as(eve, 'GET', '/api/explain?capability=model/company&action=use&as=dan')).status,
      (await companies.as(eve, 'POST', '/api/people/dan/block', {})).status,
    ],
  },
  {
    act: 'set a price at the provider of another person',
    change: 'which budgets count',
    attempt: async ({ companies }) => [
      (await companies.as(eve, 'POST', '/api/models', { name: 'free', spec: model('borrowed', { price: free }) })).status,
      (await companies.as(eve, 'PUT', '/api/models/lent', { spec: model('company', { price: free }) })).status,
    ],
  },
  {
    act: 'move a provider or a server that carries a stored secret',
    change: 'where the secret goes',
    attempt: async ({ companies, trap: attacker }) => [
      (await companies.as(eve, 'PUT', '/api/providers/lent', { spec: provider(attacker.url) })).status,
      (await companies.as(eve, 'POST', '/api/providers/test', { spec: provider(attacker.url), name: 'lent', model: 'm' })).status,
    ],
  },
  {
    act: 'grant rights',
    change: 'who may use what is not theirs',
    attempt: async ({ companies }) =>
      Promise.all(
        ['provider/company', 'provider/*', 'model/company', 'model/*', 'model/#blessed', 'mcp/company'].map(async (capability) => {
          const spec = { subject_type: 'user', subject: 'eve', capability, action: 'use' };
          return (await companies.as(eve, 'POST', '/api/grants', { spec })).status;
        }),
      ),
  },
  {
    act: 'change, hand over or delete what is not theirs',
    change: 'what others call',
    attempt: async ({ companies, vendor }) => [
      (await companies.as(eve, 'PUT', '/api/models/company', { spec: model('eves') })).status,
      (await companies.as(eve, 'PUT', '/api/providers/company', { spec: provider(vendor.url, 'k') })).status,
      (await companies.as(eve, 'POST', '/api/models/company/owner', { owner: 'eve' })).status,
      (await companies.as(eve, 'DELETE', '/api/mcp-servers/company')).status,
    ],
  },
  {
    act: 'set limits, roll back the configuration',
    change: 'how much others may call, and all of it',
    attempt: async ({ companies }) => [
      (await companies.as(eve, 'POST', '/api/limits', { name: 'l', spec: { subject_type: 'tenant', requests_per_minute: 1 } })).status,
      (await companies.as(eve, 'POST', '/api/config/rollback', { revision: 1 })).status,
    ],
  },
];

async function furnish({ companies, vendor, tools, trap: attacker }: Scene): Promise<string> {
  for (const person of [eve, dan, una]) await companies.must(person, 'GET', '/api/me');
  const lending = { subject_type: 'user', subject: 'eve', capability: 'provider/borrowed', action: 'use' };
  for (const [name, owner] of [
    ['company', null],
    ['borrowed', null],
    ['lent', 'eve'],
  ] as const)
    await companies.must(chief, 'POST', '/api/providers', { name, owner, spec: provider(vendor.url, canary) });
  await companies.must(chief, 'POST', '/api/grants', { spec: lending });
  await companies.must(eve, 'POST', '/api/providers', { name: 'eves', spec: provider(attacker.url, 'k') });
  await companies.must(chief, 'POST', '/api/models', { name: 'company', owner: null, spec: model('company') });
  await companies.must(chief, 'POST', '/api/models', { name: 'lent', owner: 'eve', spec: model('company') });
  await companies.must(eve, 'POST', '/api/models', { name: 'eves', spec: model('eves') });
  await companies.must(chief, 'POST', '/api/mcp-servers', {
    name: 'company',
    owner: null,
    spec: { kind: 'http', options: { url: tools.url } },
  });
  await companies.must(eve, 'POST', '/api/mcp-servers', { name: 'eves', spec: { kind: 'http', options: { url: tools.url } } });
  const trusted = exchange(new URL(tools.url).origin);
  const credentials = { ...trusted.options.credentials, token_url: `${companies.service.issuer}/token` };
  const spec = { ...trusted, options: { ...trusted.options, credentials } };
  await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'lent', owner: 'eve', spec });
  await companies.must(chief, 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/company', action: 'use' },
  });
  for (const capability of ['model/team-*', 'model/#blessed'])
    await companies.must(chief, 'POST', '/api/grants', { spec: { subject_type: 'role', subject: 'user', capability, action: 'use' } });
  await companies.must(eve, 'POST', '/api/skills', { name: 'eves', spec: skill });
  await companies.must(eve, 'POST', '/api/skills/eves/publish', {});
  // The rows that the act creates and keeps exist from the start.
  await swapped(companies);
  return (await companies.keyOf(dan)).id;
}

/** The victim's view: the rows of others, and an answer of the company's model. */
async function worldOf({ companies }: Scene, victim: Person): Promise<string> {
  const messages = [{ role: 'user', content: 'Hi' }];
  const called = await companies.as(victim, 'POST', '/v1/chat/completions', { model: 'company', messages });
  await companies.as(
    victim,
    'POST',
    '/mcp',
    { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} },
    { accept: 'application/json, text/event-stream' },
  );
  const rows = await Promise.all(
    ['models', 'mcp-servers', 'skills', 'keys', 'limits', 'grants'].map(async (path) => {
      const { status, json } = await companies.as(victim, 'GET', `/api/${path}?limit=100`);
      return { path, status, data: json?.data };
    }),
  );
  return JSON.stringify([called.status, called.json?.choices?.[0]?.message?.content, rows]);
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

describe.each(databaseKinds)('on $name', (databaseKind) => {
  describe.skipIf(databaseKind.missing)('a developer', () => {
    let database: TestDatabase;
    let scene: Scene;

    beforeAll(async () => {
      database = await databaseKind.createMigrated();
      const env = database.url === null ? {} : { PAILOU_DATABASE_URL: database.url };
      const [vendor, attacker, tools] = [await startVendor(), await startAttackerServer(), await startToolServer()];
      const bare = { vendor, trap: attacker, tools, companies: await startCompanies(env), key: '' };
      scene = { ...bare, key: await furnish(bare) };
    });
    afterAll(async () => {
      for (const part of [scene.companies, scene.vendor, scene.trap, scene.tools, database]) await part[Symbol.asyncDispose]();
    });

    it.each(['before', 'after'])('changes nothing of another person, %s a restart', async (when) => {
      if (when === 'after') await scene.companies.restart();
      const before = await Promise.all(Object.values(victims).map((victim) => worldOf(scene, victim)));
      for (const { act, attempt } of acts) {
        const statuses = await attempt(scene);
        expect(
          statuses.filter((status) => status < 400 || status >= 500),
          act,
        ).toEqual([]);
      }
      expect(await Promise.all(Object.values(victims).map((victim) => worldOf(scene, victim)))).toEqual(before);
      for (const person of [...Object.values(victims), eve]) expect(scene.trap.received(await scene.companies.tokenOf(person))).toBe(false);
      expect(scene.trap.received(canary)).toBe(false);
    });
  });
});

it('the table of the page is what was tried', async () => {
  const people = Object.keys(victims);
  const table = [
    line(['act of a developer', 'what it could change', ...people.map((name) => `of ${name}`)]),
    line(['---', '---', ...people.map(() => '---')]),
    ...acts.map(({ act, change }) => line([act, change, ...people.map(() => 'nothing')])),
  ].join('\n');
  const page = await readFile(join(import.meta.dirname, '../../docs/access.md'), 'utf8');
  expect(page, `Put this table into docs/access.md:\n${table}\n`).toContain(table);
});
