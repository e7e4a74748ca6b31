/** The work of a change, counted: it depends on the change and not on the number of rows. No clock is read, so a busy machine changes nothing. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConfigService } from '../../src/config/service.ts';
import { migrate } from '../../src/storage/migrate.ts';
import type { Database } from '../../src/storage/database.ts';
import type { ConfigRow, ResourceKind } from '../../src/types/resources.ts';
import { grantSpec, modelSpec } from '../../src/types/resources.ts';
import type { SnapshotChange } from '../../src/types/snapshot.ts';
import type { Mutation } from '../../src/config/mutations.ts';
import { eventually } from '../whole/gateway.ts';
import { databaseKinds } from '../storage/databases.ts';
import { administrator, configRow, startConfig } from './scene.ts';

const [sqlite] = databaseKinds;
const provider = { kind: 'openai-compatible', options: { base_url: 'http://127.0.0.1:1/v1' } };
const model = (upstream: string) => modelSpec.parse({ deployments: [{ provider: 'vendor', model: upstream }] });
const grant = (index: number, models: number) =>
  grantSpec.parse({
    subject_type: 'user',
    subject: `https://i#person-${index % 500}`,
    capability: `model/m-${index % models}`,
    action: 'use',
  });

/** The rows of a company, written into the tables. */
async function fill(database: Database, models: number, grants: number): Promise<void> {
  await migrate(database);
  const columns = ({ id, tenant, name, spec, target }: ConfigRow) => ({
    id,
    tenant,
    name,
    spec: JSON.stringify(spec),
    enabled: 1,
    owner: null,
    target: target ?? null,
    approved_tags: null,
    basis: '{"*":"administrator"}',
    revision: 1,
    created_at: '2026-01-01T00:00:00.000Z',
    created_by: 'test',
    updated_at: '2026-01-01T00:00:00.000Z',
    updated_by: 'test',
  });
  const insert = async (table: 'llm_provider_config' | 'llm_model_config' | 'llm_grant', rows: readonly ConfigRow[]): Promise<void> => {
    for (let start = 0; start < rows.length; start += 1_000)
      await database.insertMany([{ table, rows: rows.slice(start, start + 1_000).map(columns) }]);
  };
  await insert('llm_provider_config', [configRow('provider', 'vendor', provider), configRow('provider', 'idle', provider)]);
  await insert(
    'llm_model_config',
    Array.from({ length: models }, (_, index) => configRow('model', `m-${index}`, model(`up-${index}`))),
  );
  await insert(
    'llm_grant',
    Array.from({ length: grants }, (_, index) =>
      configRow('grant', `g-${index}`, grant(index, models), { target: `model-m-${index % models}` }),
    ),
  );
  await database.query.updateTable('llm_config_revision').set({ revision: 1 }).execute();
}

interface Work {
  /** Entries put into any Map, copies included. */
  entries: number;
  /** Look-ups in any Map: a walk over all rows shows here. */
  lookups: number;
  /** Steps of iterators over Maps. */
  steps: number;
  /** Characters written as JSON. */
  json: number;
}

const mapIterator = Object.getPrototypeOf(new Map().entries()) as { next(): IteratorResult<unknown> };

/** Counts what the main thread does until `work` resolves. */
async function counted(work: () => Promise<unknown>): Promise<Work> {
  const count: Work = { entries: 0, lookups: 0, steps: 0, json: 0 };
  // oxlint-disable-next-line unbound-method -- called with their own receivers
  const { set, get } = Map.prototype;
  const { stringify } = JSON;
  // oxlint-disable-next-line unbound-method -- called with its own receiver
  const { next } = mapIterator;
  Object.assign(Map.prototype, {
    set(this: Map<unknown, unknown>, key: unknown, value: unknown) {
      count.entries++;
      return set.call(this, key, value);
    },
    get(this: Map<unknown, unknown>, key: unknown): unknown {
      count.lookups++;
      return get.call(this, key);
    },
  });
  mapIterator.next = function counting(this: typeof mapIterator) {
    count.steps++;
    return next.call(this);
  };
  JSON.stringify = ((...given: Parameters<typeof JSON.stringify>) => {
    const text = stringify(...given);
    count.json += text?.length ?? 0;
    return text;
  }) as typeof JSON.stringify;
  try {
    await work();
  } finally {
    Object.assign(Map.prototype, { set, get });
    mapIterator.next = next;
    JSON.stringify = stringify;
  }
  return count;
}

const put = (kind: ResourceKind, name: string, spec: object, operation: Mutation['operation'] = 'replace'): Mutation => ({
  kind,
  tenant: 'default',
  name,
  operation,
  spec,
});

/** Small changes, each beside all the others. */
const changes = (models: number): Readonly<Record<string, Mutation>> => ({
  'of a model': put('model', 'm-3', model('other')),
  'that adds a model': put('model', 'new', model('new'), 'create'),
  'that deletes a model with its grants': { kind: 'model', tenant: 'default', name: 'm-5', operation: 'delete' },
  'that adds a grant': put('grant', 'new', { ...grant(1, models), subject: 'https://i#new' }, 'create'),
  'of a grant': put('grant', 'g-7', { ...grant(7, models), action: 'view' }),
  'of a provider that no model uses': put('provider', 'idle', { ...provider, options: { base_url: 'http://127.0.0.1:2/v1' } }),
});

async function workOf(models: number, grants: number): Promise<{ readonly works: Readonly<Record<string, Work & { bytes: number }>> }> {
  if (sqlite === undefined) throw new Error('there is no SQLite');
  await using place = await sqlite.create();
  const database = await place.open();
  await fill(database, models, grants);
  const config: ConfigService = await startConfig(place, database);
  try {
    const file = join(place.dataDir, 'last-good.jsonl');
    /** The revision that the end of the file commits. The file grows page by page, so that its size alone may be that of a part. */
    const onDisk = async (): Promise<{ readonly bytes: number; readonly revision: number }> => {
      const content = await readFile(file).catch(() => Buffer.alloc(0));
      const [, revision] = /"revision":(\d+)[^\n]*\n$/.exec(content.subarray(-200).toString()) ?? [];
      return { bytes: content.length, revision: Number(revision) };
    };
    const written = () => eventually(onDisk, ({ revision }) => revision === config.current().revision);
    let { bytes: before } = await written();
    const seen: SnapshotChange[] = [];
    config.onSwap((_, change) => void seen.push(change));
    const works: Record<string, Work & { bytes: number }> = {};
    for (const [name, mutation] of Object.entries(changes(models))) {
      let after = before;
      // The file is written after the change is live, so the count goes on until then.
      const work = await counted(async () => {
        await config.change(administrator, [mutation], 'test');
        ({ bytes: after } = await written());
      });
      works[name] = { ...work, bytes: after - before };
      before = after;
      expect(seen.at(-1)?.models.length, name).toBeLessThan(3);
    }
    return { works };
  } finally {
    await config.close();
  }
}

it('a change beside 2,000 models and 20,000 grants does the work of one beside a tenth of them', async () => {
  const small = await workOf(200, 2_000);
  const large = await workOf(2_000, 20_000);
  for (const [name, work] of Object.entries(large.works)) {
    const few = small.works[name];
    if (few === undefined) throw new Error(`${name} was not counted`);
    expect(work.entries, `Map entries written by a change ${name}`).toBeLessThan(few.entries + 500);
    expect(work.lookups, `look-ups of a change ${name}`).toBeLessThan(few.lookups + 500);
    expect(work.steps, `entries visited by a change ${name}`).toBeLessThan(few.steps + 500);
    expect(work.json, `characters of JSON of a change ${name}`).toBeLessThan(few.json + 200);
    expect(work.bytes, `bytes on disk of a change ${name}`).toBeLessThan(few.bytes + 100);
  }
});
