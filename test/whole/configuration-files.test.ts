/** Configuration as code: apply, diff, export, validate, and the file that is applied at the start. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, model, startScene } from './files-scene.ts';
import { node, startGateway, startProcess } from './gateway.ts';
import { startVendor } from './vendor.ts';

/** The grant first, although its model, and that model's provider, come later. */
const team = (url: string, more = ''): string => `
apiVersion: pailou/v1
kind: Grant
metadata: { name: users-chat }
spec: { subject_type: role, subject: user, capability: model/chat, action: use }
---
apiVersion: pailou/v1
kind: Model
metadata: { name: chat }
spec:
  deployments:
    - provider: vendor
      model: m
---
apiVersion: pailou/v1
kind: Skill
metadata: { name: brief }
spec: { kind: prompt, description: Short answers., model: chat, options: { instructions: Be brief. }, tools: [model/chat] }
---
apiVersion: pailou/v1
kind: Provider
metadata: { name: vendor }
spec:
  kind: openai-compatible
  options:
    base_url: ${url}
    api_key: \${env:VENDOR_KEY}
${more}`;

const hello = { model: 'chat', messages: [{ role: 'user', content: 'Hi' }] };

describe('pailou apply', () => {
  it('makes everything at once in any order, finds nothing to do the second time, and sends the secret of the environment', async () => {
    await using vendor = await startVendor();
    await using gateway = await startGateway();
    await using scene = await startScene(gateway, { VENDOR_KEY: 'sk-first' });
    await scene.write('team.yaml', team(vendor.url));
    const diff = await scene.pailou('diff', '-f', 'team.yaml');
    expect([diff.code, diff.out]).toEqual([2, expect.stringContaining('Would change: 4 changes, 0 unchanged.')]);
    expect((await gateway.as('admin', 'GET', '/api/models/chat')).status).toBe(404);
    const applied = await scene.pailou('apply', '-f', 'team.yaml');
    expect([applied.code, applied.err]).toEqual([0, '']);
    expect((await gateway.as('user', 'POST', '/v1/chat/completions', hello)).status).toBe(200);
    expect(vendor.requests.at(-1)?.headers.authorization).toBe('Bearer sk-first');
    const { json: before } = await gateway.as('admin', 'GET', '/api/config/revision');
    const again = await scene.pailou('apply', '-f', 'team.yaml');
    expect(again.out).toContain('Nothing to do: 4 documents are as they should be.');
    expect((await scene.pailou('diff', '-f', 'team.yaml')).code).toBe(0);
    expect((await gateway.as('admin', 'GET', '/api/config/revision')).json.revision).toBe(before.revision);
  });

  it('notices a changed secret without printing it', async () => {
    await using vendor = await startVendor();
    await using gateway = await startGateway();
    await using first = await startScene(gateway, { VENDOR_KEY: 'sk-first' });
    await first.write('team.yaml', team(vendor.url));
    await first.pailou('apply', '-f', 'team.yaml');
    await using second = await startScene(gateway, { VENDOR_KEY: 'sk-second' });
    await second.write('team.yaml', team(vendor.url));
    const applied = await second.pailou('apply', '-f', 'team.yaml');
    expect(applied.out).toContain('~ Provider vendor (a secret)\nApplied: 1 change, 3 unchanged.');
    expect(applied.out + applied.err).not.toContain('sk-');
    await gateway.as('user', 'POST', '/v1/chat/completions', hello);
    expect(vendor.requests.at(-1)?.headers.authorization).toBe('Bearer sk-second');
  });

  it('changes nothing when one of fifty documents is wrong, and names its file, line and field', async () => {
    await using gateway = await startGateway();
    await using scene = await startScene(gateway);
    const modelAt = (index: number, provider: string): string =>
      `apiVersion: pailou/v1\nkind: Model\nmetadata: { name: m-${index} }\nspec:\n  deployments:\n    - provider: ${provider}\n      model: echo\n`;
    await scene.write(
      'models.yaml',
      Array.from({ length: 50 }, (_, index) => modelAt(index, index === 41 ? 'demmo' : 'demo')).join('---\n'),
    );
    const { json: before } = await gateway.as('admin', 'GET', '/api/config/revision');
    const applied = await scene.pailou('apply', '-f', 'models.yaml');
    expect(applied.code).toBe(1);
    // Eight lines a document: the field stands on the sixth of the 42nd.
    expect(applied.err).toMatch(/^models\.yaml:334: .*provider.*"demmo".*demo/);
    expect((await gateway.as('admin', 'GET', '/api/config/revision')).json.revision).toBe(before.revision);
    expect((await gateway.as('admin', 'GET', '/api/models/m-0')).status).toBe(404);
  });

  it('deletes with --prune only rows with its own label', async () => {
    await using gateway = await startGateway();
    await using scene = await startScene(gateway);
    await scene.write('a.yaml', model('a-1') + model('a-2'));
    await scene.write('b.yaml', model('b-1'));
    await scene.pailou('apply', '-f', 'a.yaml', '--label', 'app=a');
    await scene.pailou('apply', '-f', 'b.yaml', '--label', 'app=b');
    await scene.write('a.yaml', model('a-2'));
    const pruned = await scene.pailou('apply', '-f', 'a.yaml', '--label', 'app=a', '--prune');
    expect(pruned.out).toContain('- Model a-1');
    const status = (name: string) => gateway.as('admin', 'GET', `/api/models/${name}`).then((answer) => answer.status);
    expect(await Promise.all(['a-1', 'a-2', 'b-1'].map(status))).toEqual([404, 200, 200]);
    expect((await scene.pailou('apply', '-f', 'a.yaml', '--prune')).code).toBe(2);
  });

  it('keeps the labels of rows when a file names none, and refuses labels of Pailou itself', async () => {
    await using gateway = await startGateway();
    await using scene = await startScene(gateway);
    await scene.write('a.yaml', model('a'));
    await scene.pailou('apply', '-f', 'a.yaml', '--label', 'app=a');
    expect((await scene.pailou('diff', '-f', 'a.yaml')).code).toBe(0);
    expect((await gateway.as('admin', 'GET', '/api/models/a')).json.labels).toEqual({ app: 'a' });
    const own = await scene.pailou('apply', '-f', 'a.yaml', '--label', 'pailou/owner=file');
    expect([own.code, own.err]).toEqual([1, expect.stringContaining('pailou/')]);
    await scene.write('b.yaml', model('b').replace('{ name: b }', '{ name: b, labels: { pailou/owner: file } }'));
    expect((await scene.pailou('validate', '-f', 'b.yaml')).err).toMatch(/^b\.yaml:4: metadata\.labels/);
  });

  it('makes teams with their service accounts, grants and limits in any order, and exports them as they are', async () => {
    await using gateway = await startGateway();
    await using scene = await startScene(gateway);
    const lab = `
apiVersion: pailou/v1
kind: Grant
metadata: { name: lab-echo }
spec: { subject_type: team, subject: research, capability: model/demo/echo, action: use }
---
apiVersion: pailou/v1
kind: ServiceAccount
metadata: { name: lab-bot }
spec: { team: lab }
---
apiVersion: pailou/v1
kind: Limit
metadata: { name: lab-minute }
spec: { subject_type: team, subject: research, requests_per_minute: 60 }
---
apiVersion: pailou/v1
kind: Team
metadata: { name: lab }
spec: { role: research, administrator_role: team-lead, administrators: [user] }
`;
    await scene.write('lab.yaml', lab);
    expect((await scene.pailou('validate', '-f', 'lab.yaml')).code).toBe(0);
    const diff = await scene.pailou('diff', '-f', 'lab.yaml');
    expect([diff.code, diff.out]).toEqual([2, expect.stringContaining('Would change: 4 changes, 0 unchanged.')]);
    const applied = await scene.pailou('apply', '-f', 'lab.yaml', '--label', 'app=lab');
    expect([applied.code, applied.err]).toEqual([0, '']);
    const again = await scene.pailou('apply', '-f', 'lab.yaml', '--label', 'app=lab');
    expect(again.out).toContain('Nothing to do: 4 documents are as they should be.');
    const made = await gateway.as('user', 'POST', '/api/keys', { service: 'lab-bot' });
    expect(made.status, made.text).toBe(201);

    const exported = await scene.pailou('export');
    expect(exported.out).toMatch(/kind: Team\nmetadata:\n {2}name: lab\n/);
    await scene.write('all.yaml', exported.out);
    expect((await scene.pailou('diff', '-f', 'all.yaml')).code).toBe(0);
    await using other = await startGateway();
    await using there = await startScene(other);
    await there.write('all.yaml', exported.out);
    expect((await there.pailou('apply', '-f', 'all.yaml')).err).toBe('');
    expect((await there.pailou('diff', '-f', 'all.yaml')).code).toBe(0);
    expect((await there.pailou('export')).out, 'the same to the byte').toBe(exported.out);

    // The team leaves the file, and its service account with it.
    await scene.write('lab.yaml', lab.split('---').toSpliced(3, 1).toSpliced(1, 1).join('---'));
    const pruned = await scene.pailou('apply', '-f', 'lab.yaml', '--label', 'app=lab', '--prune');
    expect([pruned.code, pruned.out]).toEqual([0, expect.stringMatching(/- ServiceAccount lab-bot(.|\n)*- Team lab/)]);
    expect((await gateway.as('admin', 'GET', '/api/teams/lab')).status).toBe(404);
    expect((await gateway.as(null, 'GET', '/v1/models', undefined, { authorization: `Bearer ${made.json.key}` })).status).toBe(401);
  });

  it('names the file, line and field of a service account whose team is unknown', async () => {
    await using gateway = await startGateway();
    await using scene = await startScene(gateway);
    const text =
      'apiVersion: pailou/v1\nkind: Team\nmetadata: { name: lab }\nspec: { role: research }\n---\napiVersion: pailou/v1\nkind: ServiceAccount\nmetadata: { name: bot }\nspec:\n  team: lap\n';
    await scene.write('bad.yaml', text);
    const refused = await scene.pailou('apply', '-f', 'bad.yaml');
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/^bad\.yaml:10: .*"lap".*lab/)]);
    expect((await gateway.as('admin', 'GET', '/api/teams/lab')).status).toBe(404);
  });

  it('changes no published version of a skill', async () => {
    await using gateway = await startGateway();
    await using scene = await startScene(gateway);
    const spec = { kind: 'prompt', description: 'd', model: 'demo/echo', options: { instructions: 'one' } };
    await gateway.as('admin', 'POST', '/api/skills', { name: 's', spec });
    expect((await gateway.as('admin', 'POST', '/api/skills/s/publish', {})).status).toBe(200);
    const { out } = await scene.pailou('export');
    await scene.write('all.yaml', out);
    expect((await scene.pailou('diff', '-f', 'all.yaml')).code).toBe(0);
    await scene.write('all.yaml', out.replaceAll('instructions: one', 'instructions: two'));
    const refused = await scene.pailou('apply', '-f', 'all.yaml');
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('a published version never changes')]);
    await scene.write('all.yaml', out);
    expect(await scene.pailou('apply', '-f', 'all.yaml', '--label', 'team=docs')).toMatchObject({ code: 0, err: '' });
  });

  it('is for administrators, with the same rights as the API', async () => {
    await using gateway = await startGateway();
    const documents = [{ apiVersion: 'pailou/v1', kind: 'Model', metadata: { name: 'x' }, spec: { deployments: [] } }];
    expect((await gateway.as('developer', 'POST', '/api/config/apply', { documents })).status).toBe(403);
    expect((await gateway.as('developer', 'GET', '/api/config/export')).status).toBe(403);
    const foreign = await gateway.as('admin', 'POST', '/api/config/apply', {
      documents: [{ ...documents[0], metadata: { name: 'x', tenant: 'other' } }],
    });
    expect([foreign.status, foreign.json.error.param]).toEqual([400, 'documents[0].metadata.tenant']);
  });
});

it('pailou export is the same each time, holds no secret, and makes the same gateway elsewhere', async () => {
  await using vendor = await startVendor();
  await using one = await startGateway();
  await using scene = await startScene(one, { VENDOR_KEY: 'sk-exported' });
  await scene.write('team.yaml', team(vendor.url));
  await scene.pailou('apply', '-f', 'team.yaml');
  const published = await one.as('admin', 'POST', '/api/skills/brief/publish', {});
  expect(published.status).toBe(200);
  const exported = await scene.pailou('export');
  expect((await scene.pailou('export')).out).toBe(exported.out);
  expect(exported.out).not.toContain('sk-exported');
  expect(exported.out).toContain('${env:PROVIDER_VENDOR_API_KEY}');
  expect(exported.err).toContain('PROVIDER_VENDOR_API_KEY');

  await using other = await startGateway();
  await using there = await startScene(other, { PROVIDER_VENDOR_API_KEY: 'sk-exported' });
  await there.write('all.yaml', exported.out);
  const applied = await there.pailou('apply', '-f', 'all.yaml');
  expect([applied.code, applied.err]).toEqual([0, '']);
  expect(await there.pailou('diff', '-f', 'all.yaml')).toMatchObject({ code: 0, err: '' });
  expect((await there.pailou('export')).out).toBe(exported.out);
  expect((await other.as('user', 'POST', '/v1/chat/completions', hello)).status).toBe(200);
  expect(vendor.requests.at(-1)?.headers.authorization).toBe('Bearer sk-exported');
});

describe('pailou validate', () => {
  it('checks files without a gateway and without their secrets', async () => {
    await using scene = await startScene();
    await scene.write('team.yaml', team('https://vendor.example/v1'));
    expect(await scene.pailou('validate', '-f', 'team.yaml')).toMatchObject({ code: 0, out: '4 documents are valid.\n' });
  });

  it.each([
    [
      'bad.yaml:7',
      'is not valid YAML',
      'apiVersion: pailou/v1\nkind: Model\nmetadata: { name: a }\nspec:\n  deployments: []\n  tags: [a\n',
    ],
    ['bad.yaml:2', 'kind', 'apiVersion: pailou/v1\nkind: Modle\nmetadata: { name: a }\nspec: {}\n'],
    [
      'bad.yaml:6',
      'base_urll',
      'apiVersion: pailou/v1\nkind: Provider\nmetadata: { name: a }\nspec:\n  kind: openai-compatible\n  options: { base_url: "https://a.example", base_urll: x }\n',
    ],
    ['bad.yaml:5', 'openai-compatible', 'apiVersion: pailou/v1\nkind: Provider\nmetadata: { name: a }\nspec:\n  kind: openai-compatibel\n'],
  ])('says %s and %s', async (place, field, text) => {
    await using scene = await startScene();
    await scene.write('bad.yaml', text);
    const { code, err } = await scene.pailou('validate', '-f', 'bad.yaml');
    expect(code).toBe(1);
    expect(err).toContain(place);
    expect(err).toContain(field);
  });

  it('names every wrong document, and prints the JSON Schema of a document', async () => {
    await using scene = await startScene();
    const bad = 'apiVersion: pailou/v1\nkind: Model\nmetadata: { name: a }\nspec: { nope: 1 }\n';
    await scene.write('bad.yaml', `${bad}---\n${bad.replace('name: a', 'name: b')}`);
    expect((await scene.pailou('validate', '-f', 'bad.yaml')).err.trim().split('\n')).toHaveLength(2);
    expect(JSON.parse((await scene.pailou('validate', '--schema')).out)).toMatchObject({ anyOf: expect.any(Array) });
  });
});

describe('PAILOU_CONFIG', () => {
  it('is applied at the start, locks its rows with the reason, and takes away what it no longer has', async () => {
    await using vendor = await startVendor();
    await using scene = await startScene();
    await scene.write('team.yaml', team(vendor.url));
    const env = { PAILOU_DATA_DIR: join(scene.folder, 'data'), PAILOU_CONFIG: join(scene.folder, 'team.yaml'), VENDOR_KEY: 'sk-file' };
    const first = await startGateway(env, startProcess);
    expect((await first.as('user', 'POST', '/v1/chat/completions', hello)).status).toBe(200);
    const refused = await first.as('admin', 'PUT', '/api/models/chat', { spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
    expect([refused.status, refused.json.error.code]).toEqual([409, 'locked']);
    expect(refused.json.error.message).toContain('PAILOU_CONFIG');
    expect((await first.as('admin', 'DELETE', '/api/grants/users-chat')).status).toBe(409);
    expect((await first.as('admin', 'GET', '/api/models/chat')).json.locked).toContain('PAILOU_CONFIG');
    await first[Symbol.asyncDispose]();

    await scene.write('team.yaml', team(vendor.url).split('---').slice(1).join('---'));
    const second = await startGateway(env, startProcess);
    expect((await second.as('admin', 'GET', '/api/grants/users-chat')).status).toBe(404);
    // A roll-back leaves the rows of the file alone, and what the file no longer has comes back unlocked.
    expect((await second.as('admin', 'POST', '/api/config/rollback', { revision: 1 })).status).toBe(200);
    expect((await second.as('admin', 'GET', '/api/models/chat')).json.locked).toContain('PAILOU_CONFIG');
    const exported = await second.as('admin', 'GET', '/api/config/export');
    expect(exported.text).not.toContain('pailou/owner');
    expect((await second.as('user', 'POST', '/v1/chat/completions', hello)).status).toBe(403);
    await second[Symbol.asyncDispose]();

    const { PAILOU_CONFIG: _file, ...without } = env;
    const third = await startGateway(without, startProcess);
    const unlocked = await third.as('admin', 'GET', '/api/models/chat');
    expect([unlocked.status, unlocked.json.locked]).toEqual([200, undefined]);
    expect((await third.as('admin', 'DELETE', '/api/models/chat')).status).toBe(409);
    expect((await third.as('admin', 'DELETE', '/api/skills/brief')).status).toBe(204);
    expect((await third.as('admin', 'DELETE', '/api/models/chat')).status).toBe(204);
    await third[Symbol.asyncDispose]();
  });

  it('takes over a published version of a skill, and unlocks it without the file', async () => {
    await using scene = await startScene();
    const data = { PAILOU_DATA_DIR: join(scene.folder, 'data') };
    const first = await startGateway(data, startProcess);
    const spec = { kind: 'prompt', description: 'd', model: 'demo/echo', options: { instructions: 'one' } };
    await first.as('admin', 'POST', '/api/skills', { name: 's', spec });
    expect((await first.as('admin', 'POST', '/api/skills/s/publish', {})).status).toBe(200);
    const { text } = await first.as('admin', 'GET', '/api/config/export');
    const documents = (JSON.parse(text) as { documents: { kind: string }[] }).documents.filter(({ kind }) => kind === 'Skill');
    await scene.write('skills.yaml', documents.map((each) => `---\n${JSON.stringify(each)}\n`).join(''));
    await first[Symbol.asyncDispose]();

    const second = await startGateway({ ...data, PAILOU_CONFIG: join(scene.folder, 'skills.yaml') }, startProcess);
    const locked = await second.as('admin', 'DELETE', '/api/skills/s');
    expect([locked.status, locked.json.error.code]).toEqual([409, 'locked']);
    await second[Symbol.asyncDispose]();

    const third = await startGateway(data, startProcess);
    expect((await third.as('admin', 'DELETE', '/api/skills/s')).status).toBe(204);
    await third[Symbol.asyncDispose]();
  });

  it.each([
    ['a file without documents', '# nothing\n', /team\.yaml contains no document/],

    ['a variable that is not set', team('https://vendor.example/v1'), /team\.yaml:27: the environment variable VENDOR_KEY is not set/],
    [
      'a name that is not there',
      'apiVersion: pailou/v1\nkind: Model\nmetadata: { name: a }\nspec: { deployments: [{ provider: nowhere, model: m }] }\n',
      /team\.yaml:4: .*nowhere/,
    ],
  ])('stops the start for %s, with file and line', async (_what, text, message) => {
    await using scene = await startScene();
    await scene.write('team.yaml', text);
    await expect(startGateway({ PAILOU_CONFIG: join(scene.folder, 'team.yaml') }, startProcess)).rejects.toThrow(message);
  });
});

it('a reader that stops before the end, such as head, gets no stack', async () => {
  const err = await new Promise<string>((resolve) => {
    execFile('sh', ['-c', `"${node}" "${cli}" validate --schema | true`], (_error, _out, text) => resolve(text));
  });
  expect(err).toBe('');
});
