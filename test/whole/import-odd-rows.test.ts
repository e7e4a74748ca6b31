/** `pailou import new-api` where rows have no order, are too many, or hold wrong values. */
import { readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { documentsIn, specOf, startFolder } from './import-scene.ts';

it('channels of new-api without an order or with wrong values: useful ones are kept, the others named, and nothing reads as a reference', async () => {
  await using folder = await startFolder();
  using database = new DatabaseSync(folder.at('one-api.db'));
  database.exec(`create table channels (id integer primary key, type integer, "key" text, status integer, name text, weight integer,
    base_url text, other text, models text, "group" text, model_mapping text, priority integer);
    create table options ("key" text primary key, value text);
    insert into options values ('ModelRatio', '{"tiny": 1e-30, "gpt": 1.25}')`);
  const add = database.prepare(`insert into channels values (?, ?, ?, ?, ?, ?, ?, '', ?, 'default', ?, ?)`);
  for (let id = 1; id <= 70; id++) add.run(id, 1, `sk-${id}`, id <= 5 ? 2 : 1, `c${id}`, 0, '', 'gpt', '', id === 70 ? 9 : 0);
  add.run(71, 1, 'sk-x', 1, 'No address', 0, 'not an address', 'gpt', '', 0);
  add.run(72, 33, 'onlyone', 1, 'Aws', 0, '', 'claude', '', 0);
  add.run(73, 1, 'sk-x', 1, 'Heavy', 4_294_967_295, '', 'tiny', '{"tiny": "${env:HOME}"}', 0);
  const { code, out, err } = await folder.pailou(['import', 'new-api', 'one-api.db', '--secrets', 'secrets.env']);
  expect(code).toBe(0);
  const documents = documentsIn(out);
  const { deployments } = specOf(documents, 'Model', 'gpt') as { deployments: { provider: string; enabled?: boolean }[] };
  expect([deployments.length, deployments.some(({ enabled }) => enabled === false), deployments.at(-1)?.provider]).toEqual([
    64,
    false,
    'c70',
  ]);
  expect(specOf(documents, 'Model', 'tiny')).toMatchObject({ deployments: [{ model: '$${env:HOME}', weight: 1_000_000 }] });
  for (const left of [
    '"No address": its address "not an address"',
    '"Aws": its key is not',
    '"Heavy": its weight',
    'model "gpt": 6 of',
    '"tiny": its price',
  ])
    expect(err).toContain(left);
  await writeFile(folder.at('team.yaml'), out);
  const secrets = (await readFile(folder.at('secrets.env'), 'utf8')).matchAll(/^export (\w+)='(.*)'$/gm);
  const env = Object.fromEntries([...secrets].map(([, name = '', value = '']) => [name, value]));
  expect(await folder.pailou(['validate', '-f', 'team.yaml'], env)).toMatchObject({ code: 0, err: '' });
});
