/** A snapshot that was built change by change is the one that is built at once from the same rows. */
import { beforeAll, expect, it } from 'vitest';
import { createInstanceFactory, type InstanceFactory } from '../../src/config/instances.ts';
import { RowSet } from '../../src/config/row-set.ts';
import { createSnapshotBuilder, type SnapshotBuilder } from '../../src/config/snapshot-builder.ts';
import { type Built, emptyBuilt } from '../../src/config/snapshot/built.ts';
import { createModelCatalogue } from '../../src/models/catalogue/catalogue.ts';
import type { ConfigChange } from '../../src/types/config-store.ts';
import { type ConfigRow, grantSpec, modelSpec } from '../../src/types/resources.ts';
import { skillSpec } from '../../src/types/skill-spec.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import { principal } from '../extensions/mcp/services.ts';
import { configRow, plugins, secrets, services } from './scene.ts';

let builder: SnapshotBuilder;
beforeAll(async () => {
  const registry = await plugins();
  const factory: InstanceFactory = createInstanceFactory({
    registry,
    services,
    developerServices: services,
    secrets,
    logger: services.logger,
  });
  builder = createSnapshotBuilder(factory, registry, createModelCatalogue());
});

/** Everything of a snapshot but the identity of instances. */
function picture({ snapshot, ends }: Built): unknown {
  const byName = <V>(map: ReadonlyMap<string, V>, show: (value: V) => unknown) =>
    Object.fromEntries([...map].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, value]) => [key, show(value)]));
  return {
    problems: snapshot.problems
      .map((each) => JSON.stringify([each.kind, each.tenant, each.name, each.message.replace(/ Did you mean.*$/, '')]))
      .toSorted(),
    ends: byName(ends, ({ end }) => end),
    tenants: byName(new Map([...snapshot.tenants.keys(), 'empty'].map((name) => [name, snapshot.tenant(name)])), (view) => ({
      models: byName(view.models, ({ deployments, ...entry }) => ({
        ...entry,
        deployments: deployments.map(({ provider, ...each }) => ({ ...each, provider: { ...provider, instance: null } })),
      })),
      skills: byName(view.skills, (entry) => ({ ...entry, instance: null })),
      skillVersions: byName(view.skillVersions, (entry) => ({ ...entry, instance: null })),
      names: ['s-0', 's-1', 's-2'].map((name) => view.skillNames.has(name)),
      servers: [...view.mcpServers.values()].map((entry) => ({ ...entry, instance: null })),
      serverRows: view.mcpRows,
      limits: view.limits.rules.map(({ name }) => name).toSorted(),
      grants: ['p-0', 'p-1', 'p-2'].flatMap((subject) =>
        [...view.models.values()]
          .toSorted((one, other) => (one.name < other.name ? -1 : 1))
          .map(
            ({ capability }) =>
              view.grants.find({ ...principal, issuer: 'https://i', subject, roles: ['user'] }, 'use', capability, 0) !== null,
          ),
      ),
    })),
  };
}

/** A generator of numbers that is the same at every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

function randomRow(random: (below: number) => number, tenant: string, revision: number): ConfigRow {
  const one = <T>(...values: readonly T[]): T => values[random(values.length)] as T;
  const number = random(3);
  const over = { tenant, revision, enabled: random(5) > 0, owner: one(null, 'https://i#dev') };
  const provider = `v-${random(3)}`;
  switch (random(6)) {
    case 0: {
      const base = one('http://127.0.0.1:1/v1', 'http://127.0.0.1:2/v1');
      const spec = random(8) === 0 ? { kind: 'none' } : { kind: 'openai-compatible', options: { base_url: base }, offered_models: null };
      return configRow('provider', provider, spec, over);
    }
    case 1: {
      const fallbacks = random(3) === 0 ? [{ model: `m-${random(3)}`, on: ['error'] }] : [];
      const spec = modelSpec.parse({
        deployments: [{ provider, model: `up-${random(2)}` }],
        fallbacks,
        tags: one([], ['red']),
        // Without a further random number, so that the series stay as they are.
        shared_with: [undefined, ['default'], ['*']][revision % 3],
      });
      const basis = one<ConfigRow['basis']>({ '*': 'administrator' }, { '*': `grant:g-${random(3)} user:https://i#p-0` });
      return configRow('model', `m-${number}`, spec, { ...over, basis: basis ?? {}, approvedTags: one(null, ['red']) });
    }
    case 2: {
      const version = one('', '@1.0.0');
      const live = version === '' && random(2) === 0 ? { live: '1.0.0' } : {};
      const base = {
        kind: 'prompt',
        description: 'd',
        version: '1.0.0',
        model: `m-${random(3)}`,
        options: { instructions: 'Do it.' },
        ...live,
      };
      return configRow('skill', `s-${number}${version}`, skillSpec.parse(base), { ...over, id: `skill-s-${number}${version}` });
    }
    case 3: {
      const tools = [`t-${random(3)}/*`];
      const spec = one<object>({ kind: 'http', options: { url: 'http://127.0.0.1:1/mcp' } }, { kind: 'virtual', options: { tools } });
      return configRow(
        'mcp',
        `t-${number}`,
        { ...spec, ...one({}, { prefix: 't-1' }), ...(revision % 2 === 0 ? { shared_with: ['*'] } : {}) },
        over,
      );
    }
    case 4: {
      const target = one(`model-m-${random(3)}`, `provider-${provider}`);
      const [kind = '', ...rest] = target.split('-');
      const expires = one<string | null>(null, '2999-01-01T00:00:00Z');
      const thing = { capability: `${kind}/${rest.join('-')}`, target };
      const pattern = { capability: one('model/*', 'model/m-*', 'model/#red', 'provider/v-*'), target: null };
      const { capability, target: bound } = random(3) === 0 ? pattern : thing;
      const subject = one({ subject_type: 'user', subject: `https://i#p-${random(3)}` }, { subject_type: 'role', subject: 'user' });
      const spec = grantSpec.parse({ ...subject, capability, action: one('use', 'view'), expires_at: expires });
      return configRow('grant', `g-${random(6)}`, spec, { ...over, target: bound });
    }
    default:
      return configRow('limit', `l-${number}`, limitSpec.parse({ subject_type: 'tenant', requests_per_minute: 1 + random(3) }), over);
  }
}

it.each([1, 2, 3, 4])('after 100 random changes (series %i)', async (seed) => {
  const random = randomOf(seed);
  let current = emptyBuilt();
  let { rows } = current;
  let most = 0;
  for (let step = 1; step <= 100; step++) {
    const changes: ConfigChange[] = [];
    for (let count = 1 + random(3); count > 0; count--) {
      const tenant = ['default', 'other'][random(2)] ?? '';
      const row = randomRow(random, tenant, step);
      const before = rows.with(changes).group(row.kind, tenant).get(row.name) ?? null;
      const after = before !== null && random(3) === 0 ? null : row;
      changes.push({ kind: row.kind, tenant, before, after });
    }
    rows = rows.with(changes);
    current = await builder.build(rows, step, current);
    most = Math.max(most, current.views.get('default')?.models.size ?? 0);
    const whole = await builder.build(RowSet.of(rows.all()), step, emptyBuilt());
    expect(picture(current), `step ${step}: ${JSON.stringify(changes)}`).toEqual(picture(whole));
  }
  expect(most, 'the series is about something').toBe(3);
});
