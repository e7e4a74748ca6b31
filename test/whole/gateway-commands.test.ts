/** Commands over the API of a running gateway: rows, runs, usage, status, chat, tests of providers. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type GatewayCall, wholeList } from '../../src/admin/commands/gateway-call.ts';
import { eventually, node, runEnv, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function pailou(args: readonly string[], token?: string): Promise<{ code: number; out: string; bad: string }> {
  const program = join(import.meta.dirname, '../../src/cli.ts');
  const env = { ...runEnv, PAILOU_URL: gateway.url, PAILOU_TOKEN: token ?? (await gateway.token('admin')) };
  return new Promise((resolve) => {
    execFile(node, [program, ...args], { env }, (error, out, bad) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, bad }),
    );
  });
}

it('adds, shows, changes, lists and deletes rows', async () => {
  const added = await pailou([
    'providers',
    'add',
    'acme',
    '--kind',
    'openai-compatible',
    '--option',
    'base_url=https://api.example.com/v1',
    '--option',
    'api_key=k',
  ]);
  expect(added).toEqual({ code: 0, out: 'acme is added.\n', bad: '' });
  const list = await pailou(['providers']);
  expect(list.out).toMatch(/^NAME +ENABLED +OWNER +KIND\nacme +true +admin +openai-compatible\ndemo /);
  const changed = await pailou(['providers', 'set', 'acme', '{"enabled":false}', '--json']);
  expect(JSON.parse(changed.out)).toMatchObject({ name: 'acme', enabled: false, spec: { options: { api_key: '***' } } });
  expect(JSON.parse((await pailou(['models', 'get', 'demo/echo'])).out)).toMatchObject({ name: 'demo/echo' });
  const model = await pailou(['models', 'add', 'mine', '{"deployments":[{"provider":"acme","model":"m"}]}']);
  expect(model.code).toBe(0);
  expect(JSON.parse((await pailou(['models', '--json'])).out).map(({ name }: { name: string }) => name)).toContain('mine');
  expect((await pailou(['models', 'delete', 'mine'])).out).toBe('mine is deleted.\n');
  expect((await pailou(['grants', 'list'])).out).toContain('SUBJECT_TYPE');
});

it('says what is wrong with a use, and what the gateway refuses, with an exit code for each', async () => {
  const unknown = await pailou(['provider']);
  expect([unknown.code, unknown.bad]).toEqual([2, expect.stringContaining('Did you mean providers')]);
  expect((await pailou(['providers', 'frob', 'x'])).code).toBe(2);
  expect((await pailou(['providers', 'add', 'x'])).code).toBe(2);
  expect((await pailou(['providers', 'add', 'x', '--kind', 'openai', '--option', 'nonsense'])).bad).toContain('--option nonsense');
  for (const [command = '', ...args] of [
    ['models', 'delete', 'a', 'b'],
    ['models', 'list', 'a'],
    ['runs', 'a', 'b'],
    ['test', 'a', 'b', '--model', 'm'],
  ])
    expect(await pailou([command, ...args])).toMatchObject({ code: 2, bad: expect.stringMatching(/[Uu]sage/) });
  expect(await pailou(['runs', '--outcom', 'error'])).toMatchObject({
    code: 2,
    bad: "Unknown option '--outcom'. Did you mean --outcome?\n",
  });
  expect((await pailou(['prune', '--dryrun'])).bad).toBe("Unknown option '--dryrun'. Did you mean --dry-run?\n");
  expect((await pailou(['runs', '--nothing-like-it'])).bad).toBe("Unknown option '--nothing-like-it'.\n");
  const noFile = await pailou(['providers', 'add', 'x', '@no-such-file.json']);
  expect([noFile.code, noFile.bad]).toEqual([1, "ENOENT: no such file or directory, open 'no-such-file.json'\n"]);
  const refused = await pailou(['providers', 'add', 'x', '--kind', 'openai']);
  expect([refused.code, refused.bad]).toEqual([1, expect.stringContaining('spec.options.api_key')]);
  expect((await pailou(['models', 'get', 'none'])).code).toBe(1);
  expect((await pailou(['providers', 'list'], await gateway.token('viewer'))).code).toBe(0);
  expect((await pailou(['limits', 'list'], await gateway.token('viewer'))).code).toBe(1);
});

it('chats in the terminal, and finds the run and its usage', async () => {
  const answer = await pailou(['chat', 'demo/echo', 'Hello', 'there']);
  expect(answer).toEqual({ code: 0, out: 'This is a demo, not an AI. You said: Hello there\n', bad: '' });
  expect(JSON.parse((await pailou(['chat', 'demo/echo', 'x', '--json'])).out)).toMatchObject({ object: 'chat.completion' });
  expect(await pailou(['chat', 'none', 'x'])).toMatchObject({ code: 1, bad: expect.stringContaining('none') });
  await eventually(
    () => gateway.as('admin', 'GET', '/api/runs?model=demo/echo'),
    ({ json }) => json.data.length >= 2,
  );
  const runs = await pailou(['runs', '--model', 'demo/echo', '--outcome', 'complete']);
  expect(runs.out).toMatch(/^STARTED +RUN +USER .*\n.* model\/demo\/echo +complete /);
  expect((await pailou(['runs', '--outcome', 'bad'])).code).toBe(1);
  const [run] = JSON.parse((await pailou(['runs', '--json'])).out).data;
  expect(JSON.parse((await pailou(['runs', run.id])).out)).toMatchObject({ id: run.id, attempts: [{}] });
  expect((await pailou(['usage', '--by', 'model'])).out).toContain('MODEL');
});

it('tells how the gateway is, and tries a provider', async () => {
  const status = await pailou(['status']);
  expect([status.code, status.out]).toEqual([0, expect.stringMatching(/^ready, revision \d+\nNODE +HOST/)]);
  expect(JSON.parse((await pailou(['status', '--json'])).out)).toMatchObject({ ready: true, stale: false });
  expect((await pailou(['test', 'demo', '--model', 'echo'])).out).toMatch(/^demo answers in \d+ ms: This is a demo/);
  expect((await pailou(['test', 'demo'])).code).toBe(2);
  expect((await pailou(['completion', 'fish'])).out).toMatch(/^complete -c pailou .*providers/);
});

it('reads every page of a list', async () => {
  const pages: Record<string, object> = {
    '/api/usage?by=day': { by: ['day'], data: [{ day: 'one' }, { day: 'two' }], next: 'a&b' },
    '/api/usage?by=day&after=a%26b': { by: ['day'], data: [{ day: 'three' }], next: null },
  };
  const call: GatewayCall = { send: async (_method, path) => Response.json(pages[path]) };
  const days = [{ day: 'one' }, { day: 'two' }, { day: 'three' }];
  expect(await wholeList(call, '/api/usage?by=day')).toEqual({ by: ['day'], data: days, next: null });
});

it('lists, makes and revokes keys', async () => {
  const made = await pailou(['keys', 'add', 'for CI', '--days', '30', '--capability', 'model/demo/echo']);
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^pailou_\S+\n$/), bad: expect.stringContaining('shown this once') });
  const key = made.out.trim();
  const asKey = () =>
    gateway.as(
      null,
      'POST',
      '/v1/chat/completions',
      { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] },
      { authorization: `Bearer ${key}` },
    );
  expect((await asKey()).status).toBe(200);
  expect((await pailou(['keys', 'list'])).out).toMatch(/^ID +TITLE +OWNER +ENABLED.*\n.*for CI +admin +true/);
  expect((await pailou(['keys', 'add', '--days', '0'])).code).toBe(2);
  expect((await pailou(['keys', 'revoke'])).code).toBe(2);
  expect((await pailou(['keys', 'revoke', 'none'])).code).toBe(1);
  expect(await pailou(['keys', 'revoke', key])).toMatchObject({ code: 0, out: expect.stringContaining('is revoked') });
  expect((await asKey()).status).toBe(401);
});

it('makes keys for other people and for service accounts, and lists teams', async () => {
  for (const role of ['user', 'developer'] as const) await gateway.as(role, 'GET', '/api/me');
  await eventually(
    () => gateway.as('admin', 'GET', '/api/people/user'),
    ({ status }) => status === 200,
  );
  expect((await pailou(['teams', 'add', 'lab', '{"role":"developer","administrators":["user"]}'])).out).toBe('lab is added.\n');
  expect((await pailou(['teams'])).out).toMatch(
    /^NAME +ENABLED +OWNER +ROLE +ADMINISTRATOR_ROLE +ADMINISTRATORS\nlab +true +admin +developer .*user/,
  );
  expect((await pailou(['service-accounts', 'add', 'bot', '{"team":"lab"}'])).out).toBe('bot is added.\n');
  expect((await pailou(['service-accounts'])).out).toMatch(/\nbot +true +admin +lab/);
  const made = await pailou(['keys', 'add', 'nightly', '--service', 'bot', '--json']);
  expect(JSON.parse(made.out)).toMatchObject({ service: 'bot', made_by: 'admin' });
  const given = await pailou(['keys', 'add', 'an editor', '--for', 'user', '--json']);
  expect(JSON.parse(given.out)).toMatchObject({ owner: 'user', made_by: 'admin' });
  const byTeam = await pailou(['keys', 'add', '--service', 'bot', '--json'], await gateway.token('user'));
  expect(JSON.parse(byTeam.out)).toMatchObject({ service: 'bot', made_by: 'user' });
  const refused = await pailou(['keys', 'add', '--for', 'admin'], await gateway.token('developer'));
  expect([refused.code, refused.bad]).toEqual([1, expect.stringContaining('only administrators')]);
  expect((await pailou(['keys', 'add', '--service', 'none'])).code).toBe(1);
  expect((await pailou(['keys', 'add', '--service', 'bot', '--for', 'user'])).code).toBe(1);
  expect((await pailou(['usage', '--team', 'lab', '--by', 'team'], await gateway.token('user'))).code).toBe(0);
  expect((await pailou(['runs', '--team', 'lab'], await gateway.token('developer'))).code).toBe(1);
});

it('doctor asks the gateway, says each finding with its remedy, and exits with 1 where something is wrong', async () => {
  const { out } = await pailou(['doctor', '--json']);
  const { findings } = JSON.parse(out) as { findings: { ok: boolean; about: string; says: string; remedy?: string }[] };
  const of = (about: string) => findings.find((each) => each.about === about);
  expect(of('gateway')).toMatchObject({ ok: true, says: expect.stringContaining('is ready') });
  expect(of('clock of the gateway')).toMatchObject({ ok: true });
  expect(of('token at the gateway')).toMatchObject({ ok: true, says: expect.stringContaining('admin') });
  for (const about of ['disk', 'spool', 'descriptors', 'vendors']) expect(of(about), about).toBeDefined();
  expect(findings.filter(({ ok, remedy }) => !ok && remedy === undefined)).toEqual([]);
  const refused = await pailou(['doctor', '--json'], 'wrong');
  expect(refused.code).toBe(1);
  expect(refused.out).toContain('Fetch a new one');
  const away = await pailou(['doctor', '--url', 'http://127.0.0.1:1']);
  expect([away.code, away.out]).toEqual([1, expect.stringContaining('→ Start it, or give its address')]);
});

it('a gateway that dies in the midst of an answer, or hangs, is named in a sentence', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/readyz') return;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"delta":{"content":"one"}}]}\n\n', () => setTimeout(() => response.destroy(), 50));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ended = 'The connection ended before the answer was whole. Is the gateway still running?\n';
  expect(await pailou(['chat', 'm', 'Hello', '--url', url])).toEqual({ code: 1, out: 'one\n', bad: ended });
  expect(await pailou(['models', '--url', url])).toEqual({ code: 1, out: '', bad: ended });
  const hung = await pailou(['doctor', '--url', url]);
  expect([hung.code, hung.out]).toEqual([1, expect.stringMatching(/accepts connections and does not answer.*\n.*It hangs/)]);
});
