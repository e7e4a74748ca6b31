/** YAML files as people have them: folders of Kubernetes, nothing at all, the same row twice, text beside a reference. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fillReferences, readDocuments as readInConsole } from '../../console/src/pages/configuration/documents.ts';
import { model, startScene } from './files-scene.ts';
import { startGateway } from './gateway.ts';

interface Row {
  readonly type: string;
  readonly path: string;
  readonly example: unknown;
}

it('reads a folder of Kubernetes once, whose names are links into a hidden folder, and leaves .git and a folder link to itself out', async () => {
  await using scene = await startScene();
  const below = (...names: string[]): string => join(scene.folder, 'config', ...names);
  await mkdir(below('..2026_12_02'), { recursive: true });
  await mkdir(below('.git'));
  await mkdir(below('more.yaml'));
  await scene.write('config/..2026_12_02/a.yaml', model('a'));
  await scene.write('config/.git/hook.yaml', 'x: 1\n');
  await scene.write('config/more.yaml/b.yml', model('b'));
  await symlink('..2026_12_02', below('..data'));
  await symlink('..data/a.yaml', below('a.yaml'));
  await symlink('.', below('again'));
  expect(await scene.pailou('validate', '-f', 'config')).toMatchObject({ code: 0, err: '', out: '2 documents are valid.\n' });
});

it('takes files without a document for a mistake, which --prune would make a deletion of all', async () => {
  await using gateway = await startGateway();
  await using scene = await startScene(gateway);
  await scene.write('all.yaml', model('kept'));
  expect((await scene.pailou('apply', '-f', 'all.yaml', '--label', 'app=a')).code).toBe(0);
  await scene.write('all.yaml', '---\n# a template that printed nothing\n---\n');
  for (const command of ['apply', 'diff'])
    expect(await scene.pailou(command, '-f', 'all.yaml', '--label', 'app=a', '--prune')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('all.yaml: there is no document'),
    });
  expect((await gateway.as('admin', 'GET', '/api/models/kept')).status).toBe(200);
});

it.each([
  ['b.yaml:4', 'Model "twice" is at a.yaml:1 already', model('twice'), model('twice')],
  ['b.yaml:8', 'Unresolved alias', model('a'), `${model('b')}---\nb: 1\na: *other\n`],
  [
    'b.yaml:6',
    'Unresolved tag: !env. Write a secret as ${env:NAME}',
    model('a'),
    'apiVersion: pailou/v1\nkind: Provider\nmetadata: { name: p }\nspec:\n  kind: deepseek\n  options: { api_key: !env KEY }\n',
  ],
  ['b.yaml:1', 'A document must be an object {…}, not a list.', model('a'), '- apiVersion: pailou/v1\n'],
  [
    'b.yaml:6',
    'spec.options.api_key: a reference is the whole value',
    model('a'),
    'apiVersion: pailou/v1\nkind: Provider\nmetadata: { name: p }\nspec:\n  kind: deepseek\n  options: { api_key: "Bearer ${env:KEY}" }\n',
  ],
])('says %s and %s', async (place, text, a, b) => {
  await using scene = await startScene();
  await scene.write('a.yaml', a);
  await scene.write('b.yaml', b);
  const { code, err } = await scene.pailou('validate', '-f', 'a.yaml', '-f', 'b.yaml');
  expect(code).toBe(1);
  expect(err).toContain(`${place}: `);
  expect(err).toContain(text);
});

it('says in the console what no reader of YAML understands', async () => {
  const fault = async (text: string): Promise<string> => (await readInConsole(text)).fault;
  expect(await fault('kind: Model\nspec: *other\n')).toContain('Unresolved alias');
  expect(await fault('kind: Provider\nspec: { api_key: !env KEY }\n')).toContain('Unresolved tag: !env');
});

it('refuses a file in another encoding than UTF-8, whose text would arrive garbled', async () => {
  await using scene = await startScene();
  const start = 'apiVersion: pailou/v1\nkind: Model\nmetadata: { name: m }\nspec:\n';
  const rest = '\n  deployments: [{ provider: demo, model: echo }]\n';
  // "团队" in GBK.
  const gbk = Buffer.concat([Buffer.from(`${start}  description: `), Buffer.from([0xcd, 0xc5, 0xb6, 0xd3]), Buffer.from(rest)]);
  await writeFile(join(scene.folder, 'gbk.yaml'), gbk);
  expect(await scene.pailou('validate', '-f', 'gbk.yaml')).toMatchObject({
    code: 1,
    err: 'gbk.yaml:5: is not UTF-8; save the file in this encoding.\n',
  });
  await writeFile(join(scene.folder, 'utf16.yaml'), Buffer.from(`\uFEFF${start}${rest}`, 'utf16le'));
  expect((await scene.pailou('validate', '-f', 'utf16.yaml')).err).toMatch(/^utf16\.yaml:1: is not UTF-8/);
});

it('names the place of a row that is there twice, once with the name of the tenant', async () => {
  await using gateway = await startGateway();
  await using scene = await startScene(gateway);
  await scene.write('a.yaml', model('m'));
  await scene.write('b.yaml', model('m').replace('{ name: m }', '{ name: m, tenant: default }'));
  const { code, err } = await scene.pailou('diff', '-f', 'a.yaml', '-f', 'b.yaml');
  expect([code, err]).toEqual([1, expect.stringMatching(/^b\.yaml:\d+: Model "m" is there already, as a\.yaml:\d+\. Keep one\./)]);
});

it('reads Windows lines, a byte order mark, anchors and merge keys', async () => {
  await using scene = await startScene();
  const merged =
    'apiVersion: pailou/v1\nkind: Model\nmetadata: { name: m }\nspec:\n  deployments:\n    - &first { provider: demo, model: a }\n    - { <<: *first, model: b }\n';
  await scene.write('windows.yaml', `\uFEFF${merged.replaceAll('\n', '\r\n')}`);
  expect(await scene.pailou('validate', '-f', 'windows.yaml')).toMatchObject({ code: 0, err: '' });
});

it('exports text that looks like a reference so that no variable of the administrator gets into it', async () => {
  await using gateway = await startGateway();
  await using scene = await startScene(gateway, { SECRET: 'sk-of-the-administrator' });
  for (const [name, instructions] of [
    ['one', '${env:SECRET}'],
    ['two', '$${env:SECRET}'],
    ['file', '${file:/etc/passwd}'],
  ] as const)
    await gateway.as('developer', 'POST', '/api/skills', {
      name,
      spec: { kind: 'prompt', description: 'd', model: 'demo/echo', options: { instructions } },
    });
  const { out } = await scene.pailou('export');
  await scene.write('all.yaml', out);
  expect((await scene.pailou('validate', '-f', 'all.yaml')).code).toBe(0);
  expect((await scene.pailou('apply', '-f', 'all.yaml')).out).toContain('Nothing to do');
  const kept = await gateway.as('admin', 'GET', '/api/skills/one');
  expect(kept.json.spec.options.instructions).toBe('${env:SECRET}');
  const documents = await readInConsole(out);
  const filled = fillReferences(documents.documents, new Map()) as { metadata: { name: string }; spec: { options: object } }[];
  expect(filled.find(({ metadata }) => metadata.name === 'two')?.spec.options).toMatchObject({ instructions: '$${env:SECRET}' });
});

it('exports options of a provider with a part that looks like a reference, and applies them as they were', async () => {
  await using gateway = await startGateway();
  await using scene = await startScene(gateway, { SECRET: 'sk-of-the-administrator' });
  const texts = ['a ${env:SECRET} b', '$${env:SECRET}${file:/etc/passwd}', '${env:SECRET}', '$$${env:SECRET}'];
  for (const [index, organization] of texts.entries()) {
    const spec = { kind: 'openai', options: { api_key: 'sk-x', organization } };
    expect((await gateway.as('admin', 'POST', '/api/providers', { name: `odd-${index}`, spec })).status).toBe(201);
  }
  const { out } = await scene.pailou('export');
  await scene.write('all.yaml', out);
  const secrets = Object.fromEntries([...out.matchAll(/ \$\{env:(\w+)\}$/gm)].map(([, name = '']) => [name, '***']));
  await using again = await startScene(gateway, { SECRET: 'sk-of-the-administrator', ...secrets });
  await again.write('all.yaml', out);
  expect(await again.pailou('validate', '-f', 'all.yaml')).toMatchObject({ code: 0, err: '' });
  expect((await again.pailou('apply', '-f', 'all.yaml')).out).toContain('Nothing to do');
  const { documents } = await readInConsole(out);
  const filled = fillReferences(documents, new Map()) as { kind: string; metadata: { name: string }; spec: { options: object } }[];
  const odd = filled.filter(({ kind, metadata }) => kind === 'Provider' && metadata.name.startsWith('odd-'));
  expect(odd.map(({ spec }) => spec.options)).toMatchObject(texts.map((organization) => ({ organization })));
});

it('exports the fields of a row in one order, whatever wrote them, so that another installation exports the same bytes', async () => {
  await using here = await startGateway();
  await using there = await startGateway();
  await using scene = await startScene(here);
  for (const { type, path, example } of (await here.as('admin', 'GET', '/api/kinds')).json.rows as Row[])
    expect((await here.as('admin', 'POST', path, example)).status, type).toBe(201);
  // This row is stored with its given fields first; the gateway appends `live` and `runs_as_allowed`.
  const { spec } = (await here.as('admin', 'GET', '/api/skills/greeting')).json;
  const { live: _live, runs_as_allowed: _allowed, ...given } = spec;
  expect((await here.as('admin', 'POST', '/api/skills', { name: 'given', spec: given })).status).toBe(201);
  expect((await here.as('admin', 'POST', '/api/skills/greeting/publish', {})).status).toBe(200);
  const exported = await scene.pailou('export');
  await using applying = await startScene(there, { PROVIDER_OPENAI_API_KEY: 'sk-1' });
  await applying.write('all.yaml', exported.out);
  expect(await applying.pailou('apply', '-f', 'all.yaml')).toMatchObject({ code: 0, err: '' });
  expect(await applying.pailou('diff', '-f', 'all.yaml')).toMatchObject({ code: 0, err: '' });
  expect((await applying.pailou('export')).out).toBe(exported.out);
});

it('validates for programs', async () => {
  await using scene = await startScene();
  await scene.write('good.yaml', model('a'));
  await scene.write('bad.yaml', 'apiVersion: pailou/v1\n---\n[]\n');
  const good = await scene.pailou('validate', '-f', 'good.yaml', '--json');
  expect([good.code, JSON.parse(good.out)]).toEqual([0, { valid: true, documents: 1, faults: [] }]);
  const bad = await scene.pailou('validate', '-f', 'bad.yaml', '--json');
  expect([bad.code, bad.err, JSON.parse(bad.out)]).toMatchObject([
    1,
    '',
    { valid: false, faults: [/^bad.yaml:1: /, /^bad.yaml:2: /].map((each) => expect.stringMatching(each)) },
  ]);
});
