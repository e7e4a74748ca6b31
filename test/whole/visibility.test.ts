/** The visible part of a row for each role, over HTTP: all of it for its managers, otherwise its public part; one table for four kinds of rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Role, roles } from '../../src/types/access.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import type { Answer } from './gateway.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';

const chief = chiefOf('acme');
const people = Object.fromEntries(
  roles.map((role): [Role, Person] => [role, { subject: `one-${role}`, tenant: 'acme', roles: [role] }]),
) as Record<Role, Person>;
const relations = ['own', 'granted', 'other'] as const;
/** W the whole row, P its public part, D denied (403): own, granted, other. Providers are granted in the same way. */
const table: Readonly<Record<Role, string>> = { admin: 'WWW', developer: 'WPP', user: 'DPD', viewer: 'PPP' };
const collections = { provider: 'providers', model: 'models', skill: 'skills', mcp: 'mcp-servers' } as const;
type Kind = keyof typeof collections;

/** A marker in each field that only managers of the row may read. */
const canary = 'not-for-everybody';
const schema = { type: 'object', properties: { text: { type: 'string' } } };
let companies: Companies;
let tools: ToolServer;

const specOf = (kind: Kind): object =>
  ({
    provider: { kind: 'openai-compatible', options: { base_url: `https://${canary}.example/v1`, api_key: 'k' } },
    model: { description: 'public words', deployments: [{ provider: 'demo', model: canary }] },
    skill: { description: 'public words', model: 'base', options: { instructions: `${canary} {{text}}`, input_schema: schema } },
    mcp: { kind: 'http', description: 'public words', options: { url: `${tools.url}?${canary}`, headers: { 'x-a': canary } } },
  })[kind];

beforeAll(async () => {
  tools = await startToolServer();
  companies = await startCompanies();
  await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
  await companies.must(chief, 'POST', '/api/models', { name: 'base', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
  for (const kind of Object.keys(collections) as Kind[]) {
    for (const role of roles) {
      await companies.must(chief, 'POST', `/api/${collections[kind]}`, { name: `own-${role}`, owner: `one-${role}`, spec: specOf(kind) });
      await companies.must(chief, 'POST', `/api/${collections[kind]}`, { name: `granted-${role}`, owner: 'x', spec: specOf(kind) });
      const spec = { subject_type: 'user', subject: `one-${role}`, capability: `${kind}/granted-${role}`, action: 'use' };
      if (kind !== 'provider') await companies.must(chief, 'POST', '/api/grants', { spec });
      await companies.must(chief, 'POST', `/api/${collections[kind]}`, { name: `other-${role}`, owner: 'x', spec: specOf(kind) });
    }
  }
});
afterAll(async () => {
  await companies[Symbol.asyncDispose]();
  await tools[Symbol.asyncDispose]();
});

function letterOf({ status, text, json }: Answer): string {
  if (status === 403) return 'D';
  if (status !== 200) return `${status} ${text}`;
  if (json.partial === true) return text.includes(canary) ? `public, with ${text}` : 'P';
  return text.includes(canary) ? 'W' : `whole, without: ${text}`;
}

const rows = (Object.keys(collections) as Kind[]).flatMap((kind) =>
  roles.flatMap((role) => relations.map((relation, at) => ({ kind, role, relation, expected: table[role].charAt(at) }))),
);

describe('the visibility table', () => {
  it.each(rows.filter(({ kind, relation }) => kind !== 'provider' || relation !== 'granted'))(
    'of a $kind that is $relation, the role $role sees $expected',
    async ({ kind, role, relation, expected }) => {
      const name = `${relation}-${role}`;
      const path = `/api/${collections[kind]}`;
      expect(letterOf(await companies.as(people[role], 'GET', `${path}/${name}`))).toBe(expected);
      const listed = (await companies.must(people[role], 'GET', `${path}?limit=100`)).json.data as { name: string; partial?: true }[];
      const line = listed.find((each) => each.name === name);
      expect(line === undefined ? 'D' : letterOf({ status: 200, text: JSON.stringify(line), json: line } as Answer)).toBe(expected);
    },
  );
});

describe('a skill', () => {
  const draft = { description: 'DRAFT words', model: 'base', options: { instructions: `DRAFT ${canary}`, input_schema: schema } };

  it('shows callers without manage permission the public part of the live version, never the draft, its prompt or its files', async () => {
    const name = 'granted-user';
    await companies.must(chief, 'POST', `/api/skills/${name}/publish`, {});
    await companies.must(chief, 'PUT', `/api/skills/${name}`, { spec: { ...draft, version: '2.0.0' } });
    for (const person of [people.user, people.viewer, people.developer]) {
      for (const path of [name, `${name}/versions`]) {
        const { text } = await companies.must(person, 'GET', `/api/skills/${path}`);
        expect(text).not.toContain(canary);
        expect(text).not.toContain('DRAFT');
        expect(text).toContain('public words');
        expect(text).toContain('"input_schema"');
      }
      expect((await companies.as(person, 'GET', `/api/skills/${name}/export`)).status).toBe(403);
    }
    expect((await companies.must(chief, 'GET', `/api/skills/${name}`)).text).toContain(`DRAFT ${canary}`);
    expect((await companies.must(chief, 'GET', `/api/skills/${name}/versions`)).text).toContain(canary);
    expect((await companies.as(chief, 'GET', `/api/skills/${name}/export`)).status).toBe(200);
  });

  it('reveals nothing of it in a conflict to users who may not manage it', async () => {
    const stale = await companies.as(people.developer, 'PUT', '/api/skills/other-viewer', { spec: draft }, { 'if-match': '"1"' });
    expect(stale.status).toBe(403);
    expect(stale.text).not.toContain(canary);
    const again = await companies.as(people.developer, 'POST', '/api/skills', { name: 'other-viewer', spec: draft });
    expect(again.status).toBe(409);
    expect(again.text).not.toContain(`${canary} {{text}}`);
  });
});
