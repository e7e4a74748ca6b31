/** Import and export of skills as zips over the control API. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { readZip } from '../../src/extensions/skills/folder/zip.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { answerOk, completion, startVendor, type Vendor } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
const md = '---\nname: travel\ndescription: Plans travels.\n---\nRead prices.txt before you answer.\n';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const folder = { 'travel/SKILL.md': bytes(md), 'travel/prices.txt': bytes('Suzhou: 40 CNY') };

beforeAll(async () => {
  gateway = owned.use(await startGateway());
  vendor = owned.use(await startVendor());
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'scripted', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
});
afterAll(() => owned.disposeAsync());

async function send(
  role: Role,
  input: Record<string, Uint8Array>,
  query = '?model=scripted',
): Promise<{ status: number; json: { name: string; error: { message: string; param: string } } }> {
  const answer = await fetch(`${gateway.url}/api/skills/import${query}`, {
    method: 'POST',
    body: Buffer.from(zipSync(input)),
    headers: { authorization: `Bearer ${await gateway.token(role)}`, 'content-type': 'application/zip' },
  });
  return { status: answer.status, json: (await answer.json()) as never };
}
async function exported(role: Role, name: string): Promise<Response> {
  return fetch(`${gateway.url}/api/skills/${name}/export`, { headers: { authorization: `Bearer ${await gateway.token(role)}` } });
}

it('an imported folder becomes a skill that reads its files on demand, and is exported unchanged', async () => {
  const made = await send('developer', folder);
  expect(made.status, JSON.stringify(made.json)).toBe(200);
  vendor.behave((request, response) => {
    const results = (request.body.messages as { role: string; content: string }[]).filter(({ role }) => role === 'tool');
    if (results.length > 0) return answerOk(request, response, `It is ${results[0]?.content}`);
    const call = { id: 'c', type: 'function', function: { name: 'read_skill_file', arguments: '{"path":"prices.txt"}' } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, { tool_calls: [call] }, 'tool_calls'));
  });
  const run = await gateway.as('developer', 'POST', '/v1/skills/travel/runs', { input: { text: 'how much?' } });
  expect(run.json.output).toBe('It is Suzhou: 40 CNY');
  expect(run.json.usage).toEqual({ input_tokens: 10, output_tokens: 4 });
  const out = await exported('developer', 'travel');
  expect(out.headers.get('content-type')).toBe('application/zip');
  const { files, rootFolder } = await readZip(Buffer.from(await out.arrayBuffer()));
  expect(rootFolder).toBe('travel');
  expect(Object.fromEntries(files.map((file) => [`travel/${file.path}`, new Uint8Array(file.bytes)]))).toEqual(folder);
});

it('is readable at /mcp too, file by file, by callers who may use it', async () => {
  const open = async (role: Role) => {
    const client = new Client({ name: 'test', version: '1' });
    const headers = { authorization: `Bearer ${await gateway.token(role)}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
    return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
  };
  await using client = await open('developer');
  expect((await client.listResources()).resources.map(({ uri }) => uri)).toContain('skill://travel/SKILL.md');
  expect((await client.readResource({ uri: 'skill://travel/SKILL.md' })).contents).toEqual([
    { uri: 'skill://travel/SKILL.md', mimeType: 'text/markdown', text: md },
  ]);
  expect((await client.readResource({ uri: 'skill://travel/prices.txt' })).contents).toMatchObject([{ text: 'Suzhou: 40 CNY' }]);
  for (const uri of ['skill://travel/nothing', 'skill://travel/../travel/SKILL.md', 'skill://nobody/SKILL.md'])
    await expect(client.readResource({ uri }), uri).rejects.toThrow(/no resource/);
  const demo = await client.readResource({ uri: 'skill://demo-greeting/SKILL.md' });
  expect(JSON.stringify(demo.contents)).toContain('name: demo-greeting');
  await expect(client.readResource({ uri: 'skill://demo-greeting/assets/pailou.json' })).rejects.toThrow(/no resource/);
  await using otherClient = await open('user');
  await expect(otherClient.readResource({ uri: 'skill://travel/SKILL.md' })).rejects.toThrow(/no resource/);
});

it('is replaced only with replace=true, by its owner', async () => {
  expect((await send('developer', folder)).status).toBe(409);
  const changed = { ...folder, 'travel/prices.txt': bytes('Suzhou: 50 CNY') };
  expect((await send('developer', changed, '?model=scripted&replace=true')).status).toBe(200);
  expect((await send('user', changed, '?model=scripted&replace=true')).status).toBe(403);
  expect((await exported('user', 'travel')).status).toBe(403);
  expect((await send('developer', { 'other/SKILL.md': bytes(md) })).json.error).toMatchObject({ param: 'SKILL.md.name' });
  expect((await send('developer', { 'SKILL.md': bytes(md.replace('travel', 'lone')) }, '')).json.error).toMatchObject({ param: 'model' });
  expect((await send('developer', { 'SKILL.md': bytes(md.replace('travel', 'lone')) }, '?model=nobody')).status).toBe(400);
});

it('is replaced only in the fields of the folder', async () => {
  const { spec: before } = (await gateway.as('developer', 'GET', '/api/skills/travel')).json;
  const own = {
    title: 'Travel',
    limits: { ...before.limits, steps: 3 },
    keep: { content: 'skill', days: 7 },
    tags: ['trips'],
    tools: ['model/scripted'],
    publish_needs_cases: true,
    cases: [{ name: 'one', input: { text: 'x' }, expect: { contains: ['40'] } }],
  };
  expect((await gateway.as('developer', 'PUT', '/api/skills/travel', { spec: { ...before, ...own } })).status).toBe(200);
  const { spec: set } = (await gateway.as('developer', 'GET', '/api/skills/travel')).json;
  const changed = { 'travel/SKILL.md': bytes(md.replace('Plans travels.', 'Plans trips.')) };
  const again = await send('developer', changed, '?replace=true');
  expect(again.status, JSON.stringify(again.json)).toBe(200);
  const files = [{ path: 'SKILL.md', base64: Buffer.from(changed['travel/SKILL.md']).toString('base64') }];
  expect((await gateway.as('developer', 'GET', '/api/skills/travel')).json.spec).toEqual({
    ...set,
    description: 'Plans trips.',
    options: { files },
  });
});

it.each([
  ['application/json', '{}'],
  ['multipart/form-data; boundary=x', '--x--'],
  ['text/plain', 'zip'],
  [null, Buffer.from('zip')],
])('sent as %s is refused with the right remedy', async (type, body) => {
  const headers = { authorization: `Bearer ${await gateway.token('developer')}`, ...(type === null ? {} : { 'content-type': type }) };
  const answer = await fetch(`${gateway.url}/api/skills/import`, { method: 'POST', body, headers });
  expect(answer.status).toBe(415);
  expect(((await answer.json()) as { error: { message: string } }).error.message).toContain('Content-Type: application/zip');
});

it.each(['abc-', 'a--b', '-a', 'A', 'a_b', 'a'.repeat(65)])('the name %s is refused in a SKILL.md and for a new skill', async (name) => {
  const spec = { kind: 'prompt', description: 'd', model: 'scripted', options: { instructions: 'i' } };
  const answer = await gateway.as('developer', 'POST', '/api/skills', { name, spec });
  expect([answer.status, answer.json.error?.param]).toEqual([400, 'name']);
});

it('the audit contains digests of files, not their bytes', async () => {
  const large = new Uint8Array(100_000).fill(65);
  expect((await send('developer', { ...folder, 'travel/large.txt': large }, '?replace=true')).status).toBe(200);
  const { text } = await gateway.as('admin', 'GET', '/api/audit?limit=1');
  expect(text).toContain('sha256');
  expect(text).toContain('large.txt');
  expect(text.length).toBeLessThan(20_000);
});

it('a prompt skill is exported as a folder too, and imported as the same', async () => {
  const spec = { kind: 'prompt', description: 'Greets.', model: 'scripted', options: { instructions: 'Greet {{text}}.' } };
  await gateway.as('developer', 'POST', '/api/skills', { name: 'greet', spec });
  const before = (await gateway.as('developer', 'GET', '/api/skills/greet')).json.spec;
  const zip = Buffer.from(await (await exported('developer', 'greet')).arrayBuffer());
  const { files } = await readZip(zip);
  await gateway.as('developer', 'DELETE', '/api/skills/greet');
  const again = await send('developer', Object.fromEntries(files.map((file) => [`greet/${file.path}`, new Uint8Array(file.bytes)])), '');
  expect(again.status).toBe(200);
  expect((await gateway.as('developer', 'GET', '/api/skills/greet')).json.spec).toEqual(before);
});
