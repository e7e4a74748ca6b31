/** The protocol's Skills extension at /mcp, with the official client of both eras: complete, verified, and only permitted skills. */
import { randomBytes } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Role } from '../../src/types/access.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startChangingUpstream } from './mcp-upstream.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
const anything = z.looseObject({});

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const md = '---\nname: travel\ndescription: "Plans travels: by rail, # too."\nmetadata:\n  team: "1.0"\n---\nRead prices.txt.\n';
/** File names with a special meaning in a URL, an object or a file system. */
const folder: Record<string, Uint8Array> = Object.fromEntries(
  [
    'prices.txt',
    'notes/ä ö 😀.txt',
    'notes/a%2Fb.txt',
    'notes/c#d?e.txt',
    "notes/it's & [x] | {y}^`.md",
    'notes/a+b;c=d@e,f:g$h!(i)*~.txt',
    '%2e%2e/%00',
    '..hidden/...',
    '.env',
    '__proto__',
    'constructor',
    'deep/er/SKILL.md',
  ].map((path): [string, Uint8Array] => [path, text(`This is ${path}\r\n`)]),
);
folder['SKILL.md'] = text(md);
folder['assets/noise.bin'] = randomBytes(70_000);
folder['assets/bom.txt'] = text('\uFEFFwith a mark');
folder['assets/nul.txt'] = text('a\u0000b');
folder['assets/empty'] = text('');

const prompt = (more: object = {}) => ({
  kind: 'prompt',
  description: 'Greets.',
  model: 'demo/echo',
  options: { instructions: 'Greet {{text}}.' },
  ...more,
});
const made = async (method: string, path: string, body: unknown): Promise<void> => {
  const answer = await gateway.as('admin', method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
};
/** Not as a zip, because its writer cannot write a file called `__proto__`. */
const makeFolder = (name: string, files: Record<string, Uint8Array>): Promise<void> => {
  const kept = Object.entries(files).map(([path, bytes]) => ({ path, base64: Buffer.from(bytes).toString('base64') }));
  return made('POST', '/api/skills', { name, spec: { kind: 'package', description: 'd', model: 'demo/echo', options: { files: kept } } });
};
const grant = (name: string) => ({ name, spec: { subject_type: 'role', subject: 'user', capability: `skill/${name}`, action: 'use' } });

beforeAll(async () => {
  gateway = owned.use(await startGateway());
  await makeFolder('travel', folder);
  await made('POST', '/api/skills', { name: 'greet', spec: prompt() });
  await made('POST', '/api/skills', { name: 'odd', spec: prompt({ description: '  two\n lines: # both\n' }) });
  await made('POST', '/api/skills', { name: 'secret-plan', spec: prompt() });
  for (const name of ['travel', 'greet', 'odd']) await made('POST', '/api/grants', grant(name));
});
afterAll(() => owned.disposeAsync());

describe.each(['legacy', 'auto'] as const)('a client of the Skills extension, protocol %s', (mode) => {
  const open = async (role: Role, path = '/mcp', changed = () => {}) => {
    const client = new Client(
      { name: role, version: '1' },
      { versionNegotiation: { mode }, listChanged: { resources: { onChanged: changed } } },
    );
    const headers = { authorization: `Bearer ${await gateway.token(role)}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(gateway.url + path), { requestInit: { headers } }));
    expect(client.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy');
    return { client, skills: new SkillsClient(client), [Symbol.asyncDispose]: () => client.close() };
  };
  const names = async (skills: SkillsClient): Promise<string[]> => (await skills.list()).skills.map(({ frontmatter }) => frontmatter.name);
  const refusal = (asked: Promise<unknown>): Promise<string> =>
    asked.then(
      () => 'answered',
      (error: { code: number; message: string }) => `${error.code} ${error.message}`,
    );

  it('is declared only where there are skills', async () => {
    await using all = await open('user');
    expect([all.skills.supported, all.skills.directoryRead]).toEqual([true, true]);
    await using one = await open('user', '/mcp/demo');
    expect(one.skills.supported).toBe(false);
    expect(await refusal(one.client.request({ method: 'skills/list' }, anything))).toContain('-32601');
  });

  it('lists the permitted skills, and does not distinguish hidden from unknown ones', async () => {
    await using user = await open('user');
    await using admin = await open('admin');
    expect(await names(admin.skills)).toEqual(['demo-greeting', 'greet', 'odd', 'secret-plan', 'travel']);
    expect(await names(user.skills)).toEqual(['demo-greeting', 'greet', 'odd', 'travel']);
    const ways = (name: string): Promise<string>[] => [
      refusal(user.skills.get(`skill://${name}/SKILL.md`)),
      refusal(user.skills.readDirectory(`skill://${name}`)),
      refusal(user.client.readResource({ uri: `skill://${name}/SKILL.md` })),
    ];
    const hidden = await Promise.all(ways('secret-plan'));
    expect(hidden).toEqual((await Promise.all(ways('nobodys'))).map((words) => words.replace('nobodys', 'secret-plan')));
    for (const words of hidden) expect(words).toMatch(/^-32602 .*There is no/);
    expect((await admin.skills.get('skill://secret-plan/SKILL.md')).skill.frontmatter.description).toBe('Greets.');
  });

  it('reads a complete folder, with every byte and digest unchanged', async () => {
    await using user = await open('user');
    const { skill } = await user.skills.get('skill://travel/SKILL.md');
    expect(skill.frontmatter).toEqual({ name: 'travel', description: 'Plans travels: by rail, # too.', metadata: { team: '1.0' } });
    expect((await user.skills.list()).skills).toContainEqual(skill);
    const read: Record<string, Uint8Array> = {};
    const unverified: string[] = [];
    const walk = async (directory: string, path: string): Promise<void> => {
      for (const child of (await user.skills.readDirectory(directory)).resources) {
        if (child.mimeType === 'inode/directory') await walk(child.uri, `${path}${child.name}/`);
        else {
          const file = await user.skills.read(skill, child.uri);
          if (!file.verified || file.mimeType !== child.mimeType) unverified.push(child.uri);
          Object.defineProperty(read, path + child.name, { value: new Uint8Array(file.bytes), enumerable: true });
        }
      }
    };
    await walk('skill://travel', '');
    expect(unverified).toEqual([]);
    expect(Object.keys(read).toSorted()).toEqual(Object.keys(folder).toSorted());
    for (const path of Object.keys(folder)) expect(Buffer.from(read[path] ?? []).equals(folder[path] ?? Buffer.of()), path).toBe(true);
    expect(Array.isArray(skill.resources) && skill.resources.length).toBe(Object.keys(folder).length);
  });

  it('reads a file in any encoding of its name, and nothing outside its folder', async () => {
    await using user = await open('user');
    const words = async (uri: string) => (await user.client.readResource({ uri })).contents[0];
    expect(await words('skill://travel/notes/a%2Bb%3Bc%3Dd%40e%2Cf%3Ag%24h%21%28i%29%2A%7E.txt')).toHaveProperty('text');
    for (const uri of [
      'skill://travel/notes/../../secret-plan/SKILL.md',
      'skill://travel/notes/..%2fprices.txt',
      'skill://travel/notes/%2e%2e/prices.txt',
      'skill://travel//prices.txt',
      'skill://travel/prices.txt?x',
      'skill://travel/%',
      'skill://travel/',
      'skill://greet/assets/pailou.json',
      'skill://odd/odd/SKILL.md',
      'skill://__proto__/SKILL.md',
    ])
      expect(await refusal(words(uri)), uri).toContain('no resource');
    for (const uri of [
      'skill://travel/prices.txt',
      'skill://travel/',
      'skill://',
      'skill://tra',
      'skill://travel/nothing',
      'file:///etc',
      '',
    ])
      expect(await refusal(user.skills.readDirectory(uri)), uri).toMatch(/^-32602/);
    for (const uri of ['skill://travel', 'skill://travel/deep/er/SKILL.md', 'skill://travel/prices.txt', 'x', ''])
      expect(await refusal(user.skills.get(uri)), uri).toMatch(/^-32602/);
    expect(await refusal(user.client.request({ method: 'skills/get', params: { uri: 7 } }, anything))).toMatch(/^-32602/);
  });

  it('gets only the SKILL.md of any other kind', async () => {
    await using user = await open('user');
    const { skill } = await user.skills.get('skill://odd/SKILL.md');
    expect(skill.frontmatter).toMatchObject({ name: 'odd', description: 'two\n lines: # both' });
    expect(skill.resources).toHaveLength(1);
    expect((await user.skills.read(skill)).verified).toBe(true);
    const listed = (await user.client.listResources()).resources.find(({ uri }) => uri === skill.uri);
    expect(listed).toMatchObject({ name: 'odd', description: 'two\n lines: # both', mimeType: 'text/markdown' });
    const greet = (await user.skills.list()).skills.find(({ uri }) => uri === 'skill://greet/SKILL.md');
    expect(greet?.resources).toHaveLength(1);
    expect(await user.skills.readDirectory('skill://greet')).toMatchObject({ resources: [{ uri: 'skill://greet/SKILL.md' }] });
  });

  it('gets a notification when a skill changes, and finds the live version', async () => {
    let notifications = 0;
    await using user = await open('user', '/mcp', () => void notifications++);
    const name = `plan-${mode}`;
    const uri = `skill://${name}/SKILL.md`;
    const description = async () => (await user.skills.get(uri)).skill.frontmatter.description;
    await made('POST', '/api/skills', { name, spec: prompt({ description: 'First.' }) });
    await made('POST', '/api/grants', grant(name));
    await eventually(
      () => Promise.resolve(notifications),
      (times) => times > 0,
    );
    const { skill: before } = await user.skills.get(uri);
    await made('PUT', `/api/skills/${name}`, { spec: prompt({ description: 'Second.' }) });
    expect(await description()).toBe('Second.');
    await expect(user.skills.read(before)).rejects.toThrow(/ bytes; /);
    await made('POST', `/api/skills/${name}/publish`, { version: '2.0.0' });
    await made('PUT', `/api/skills/${name}`, { spec: prompt({ description: 'A draft.', live: '2.0.0' }) });
    expect(await description()).toBe('Second.');
    expect((await user.skills.read((await user.skills.get(uri)).skill)).text).toContain('pailou.version: 2.0.0');
    expect((await names(user.skills)).filter((each) => each.startsWith('plan'))).toEqual([name]);
    // A lost permission also ends in an open session.
    await made('DELETE', `/api/grants/${name}`, undefined);
    expect(await refusal(description())).toMatch(/^-32602/);
    await made('DELETE', `/api/skills/${name}`, undefined);
  });

  it("also finds a skill's prompt by the skill's own name", async () => {
    await using user = await open('user');
    const both = await Promise.all(['greet', 'skill__greet'].map((name) => user.client.getPrompt({ name, arguments: { text: 'Ann' } })));
    expect(JSON.stringify(both[0])).toContain('Greet Ann.');
    expect(both[0]?.messages).toEqual(both[1]?.messages);
    expect(await refusal(user.client.getPrompt({ name: 'secret-plan', arguments: { text: 'x' } }))).toContain('no prompt');
  });
});

it("an ambiguous prompt name of a server and a skill is refused, and a skill's URI is never a server's", async () => {
  const upstream = owned.use(
    await startChangingUpstream({
      tools: [],
      resources: [{ uri: 'skill://greet/SKILL.md', name: 'false' }],
      prompts: [{ name: 'greet' }],
    }),
  );
  await made('POST', '/api/mcp-servers', { name: 'rival', spec: { kind: 'http', options: { url: upstream.url } } });
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${await gateway.token('admin')}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
  await eventually(
    () => client.listPrompts(),
    ({ prompts }) => prompts.some(({ name }) => name === 'rival__greet'),
  );
  const words = async (name: string) => JSON.stringify(await client.getPrompt({ name, arguments: { text: 'Ann' } }));
  await expect(words('greet')).rejects.toThrow(/use skill__greet/);
  expect(await words('rival__greet')).toContain('prompt greet');
  expect(await words('skill__greet')).toContain('Greet Ann.');
  const skills = new SkillsClient(client);
  expect((await skills.read((await skills.get('skill://greet/SKILL.md')).skill)).verified).toBe(true);
  await client.close();
  await made('DELETE', '/api/mcp-servers/rival', undefined);
});

it('a row with another name than its folder is found under the row’s name', async () => {
  const file = { path: 'SKILL.md', base64: Buffer.from('---\nname: inner-name\ndescription: d\n---\nx\n').toString('base64') };
  await made('POST', '/api/skills', {
    name: 'outer-name',
    spec: { kind: 'package', description: 'd', model: 'demo/echo', options: { files: [file] } },
  });
  const headers = { authorization: `Bearer ${await gateway.token('admin')}` };
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
  const { skill } = await new SkillsClient(client).get('skill://outer-name/inner-name/SKILL.md');
  expect(skill.frontmatter).toMatchObject({ name: 'inner-name' });
  await client.close();
});

it('a folder that clients refuse does not affect the others', async () => {
  await makeFolder('number', { 'SKILL.md': text('---\nname: number\ndescription: 12\n---\nx\n') });
  const headers = { authorization: `Bearer ${await gateway.token('admin')}` };
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
  const skills = new SkillsClient(client);
  expect((await skills.list()).skills.map(({ frontmatter }) => frontmatter.name)).not.toContain('number');
  await expect(skills.get('skill://number/SKILL.md')).rejects.toThrow(/no skill/);
  expect((await client.readResource({ uri: 'skill://number/SKILL.md' })).contents).toHaveLength(1);
  await client.close();
});
