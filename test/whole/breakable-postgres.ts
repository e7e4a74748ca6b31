/** A data folder, and a migrated PostgreSQL database behind a proxy that can stall. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BreakableProxy, startBreakableProxy } from '../storage/breakable-proxy.ts';
import { databaseKinds } from '../storage/databases.ts';

export interface BreakablePostgres {
  readonly dataDir: string;
  readonly proxy: BreakableProxy;
  /** Through the proxy. */
  readonly url: string;
  /** Past the proxy. */
  readonly directUrl: string;
}

/** `owned` stops and removes all of it. */
export async function startBreakablePostgres(owned: AsyncDisposableStack): Promise<BreakablePostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-breakable-'));
  owned.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = await databaseKinds.find(({ name }) => name === 'PostgreSQL')?.createMigrated();
  if (database?.url == null) throw new Error('no PostgreSQL');
  owned.use(database);
  const address = new URL(database.url);
  const proxy = owned.use(await startBreakableProxy({ host: address.hostname, port: Number(address.port) }));
  const through = new URL(address);
  through.host = `127.0.0.1:${proxy.port}`;
  return { dataDir, proxy, url: through.href, directUrl: database.url };
}
