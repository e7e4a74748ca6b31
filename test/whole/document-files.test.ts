/** YAML files as people have them: folders of Kubernetes, nothing at all, the same row twice, text beside a reference. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fillReferences, readDocuments as readInConsole } from '../../console/src/pages/configuration/documents.ts';
import { model, startScene } from './files-scene.ts';
import { startGateway } from './gateway.ts';

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
  ['b.yaml:6', 'Unresolved alias', model('a'), `${model('b')}---\na: *other\n`],
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
