/** Grants while the thing that they name is replaced: two nodes on one database, without a pause between the writes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTarget } from '../../src/config/grant-targets.ts';
import type { ConfigService } from '../../src/config/service.ts';
import { readSettings } from '../../src/config/settings.ts';
import { composeLayers } from '../../src/main.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { Writer } from '../../src/types/writes.ts';
import { silentLogger } from '../auth/oauth-service.ts';
import { databaseKinds } from '../storage/databases.ts';
import { eventually } from '../whole/gateway.ts';

const tenant = 'acme';
const writer: Writer = {
  actor: { subject: 'https://i#boss', username: 'Boss', tenant, requestId: 'r', isAdministrator: true },
  kinds: ['provider', 'model', 'grant'],
  decide: ({ reaches }) => ({
    allowed: true,
    rule: 'administrator',
    reason: '',
    basis: Object.fromEntries(reaches.map(({ key }) => [key, 'administrator'])),
  }),
};
const row = { tenant, enabled: true, owner: null, operation: 'create' as const };
const model = (name: string) => ({ ...row, kind: 'model' as const, name, spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
const remove = (name: string) => ({ kind: 'model' as const, tenant, name, operation: 'delete' as const });
const grant = (capability: string, name: string) => ({
  ...row,
  kind: 'grant' as const,
  name,
  spec: { subject_type: 'role', subject: 'user', capability, action: 'use' },
});
/** Repeats a change that lost every race for its turn. */
async function persistently(change: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await change();
      return;
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.code !== 'revision_conflict') throw thrown;
    }
  }
}

/** The row that has the name on this node now. */
const idOf = (config: ConfigService, capability: string): string | null => findTarget(config.rowSet(), tenant, capability)?.id ?? null;

// On SQLite a second gateway is refused.
describe.each(databaseKinds.filter(({ name }) => name !== 'SQLite'))('two nodes on $name', (kind) => {
  const owned = new AsyncDisposableStack();
  let nodes: readonly [ConfigService, ConfigService];

  beforeAll(async () => {
    if (kind.missing) return;
    const place = owned.use(await kind.createMigrated());
    const folder = await mkdtemp(join(tmpdir(), 'pailou-races-'));
    owned.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
    const node = async (): Promise<ConfigService> => {
      const settings = readSettings({
        PAILOU_DATA_DIR: folder,
        PAILOU_OAUTH_ISSUER: 'http://127.0.0.1:1',
        PAILOU_OAUTH_AUDIENCE: 'a',
        ...(place.url === null ? {} : { PAILOU_DATABASE_URL: place.url }),
      });
      return (await composeLayers(settings, silentLogger, owned)).config;
    };
    nodes = [await node(), await node()];
    await nodes[0].change(writer, [{ ...row, kind: 'provider', name: 'demo', spec: { kind: 'demo' } }], 'provider');
  });
  afterAll(() => owned.disposeAsync());
  /** Waits until both nodes serve the same revision. */
  const level = () =>
    eventually(
      async () => nodes[0].current().revision - nodes[1].current().revision,
      (difference) => difference === 0,
    );

  it.skipIf(kind.missing)('a grant is not bound to a thing that took the name after the writer asked', async () => {
    const [here, there] = nodes;
    await here.change(writer, [model('x')], 'create');
    await level();
    const seen = idOf(there, 'model/x');
    expect(seen).not.toBeNull();
    await here.change(writer, [remove('x')], 'delete');
    await here.change(writer, [model('x')], 'create another one');
    const saved = there.change(writer, [{ ...grant('model/x', 'late'), expectedTarget: seen }], 'grant');
    await expect(saved).rejects.toMatchObject({ code: 'revision_conflict', status: 409 });
    expect(there.row(tenant, 'grant', 'late')).toBeUndefined();
    await level();
    await there.change(writer, [{ ...grant('model/x', 'looked-again'), expectedTarget: idOf(there, 'model/x') }], 'grant');
    expect(there.row(tenant, 'grant', 'looked-again')?.target).toBe(idOf(there, 'model/x'));
  });

  it.skipIf(kind.missing)('each of many grants is bound to the thing that its writer saw, or refused, or gone with it', async () => {
    const [here, there] = nodes;
    const refusals = new Set<string>();
    const asked = new Map<string, string | null>();
    await here.change(writer, [model('y')], 'create');
    await level();
    const replacing = async (): Promise<void> => {
      for (let round = 0; round < 8; round++) {
        await persistently(() => here.change(writer, [remove('y')], 'delete'));
        await persistently(() => here.change(writer, [model('y')], 'create'));
      }
    };
    const granting = async (config: ConfigService, node: string): Promise<void> => {
      for (let round = 0; round < 12; round++) {
        const name = `${node}-${round}`;
        const target = idOf(config, 'model/y');
        asked.set(name, target);
        const wanted = { ...grant('model/y', name), expectedTarget: target };
        await config.change(writer, [{ ...wanted, spec: { ...wanted.spec, subject: name } }], 'grant').catch((thrown: unknown) => {
          if (!(thrown instanceof GatewayError)) throw thrown;
          refusals.add(thrown.code);
        });
      }
    };
    await Promise.all([replacing(), granting(here, 'here'), granting(there, 'there')]);
    await level();
    const grants = here.rows(tenant, 'grant').filter(({ name }) => asked.has(name));
    for (const { name, target } of grants) expect(target, name).toBe(asked.get(name));
    // A grant whose thing was deleted went with it.
    for (const { name, target } of grants) expect(target, name).toBe(idOf(here, 'model/y'));
    expect([...refusals].filter((code) => !/^(revision_conflict|configuration_invalid)$/.test(code))).toEqual([]);
  });
});
