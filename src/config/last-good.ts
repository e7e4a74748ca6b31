/** Stores the last good rows on disk, so that a node can start while the database is away. Secrets stay sealed. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withDecimalAmounts } from '../storage/micro-unit-specs.ts';
import type { ConfigState } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';

/** Version 1 had money in micro-units. */
const version = 2;

/** Atomic: a crash leaves the earlier file. */
export async function writeLastGood(path: string, state: ConfigState): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, JSON.stringify({ version, ...state }), { mode: 0o600 });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

const withDecimals = (row: ConfigRow): ConfigRow => ({ ...row, spec: withDecimalAmounts(row.kind, row.spec) });

/** Null when there is none. Throws `storage_unavailable` for an unreadable file. */
export async function readLastGood(path: string): Promise<ConfigState | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new GatewayError(
      'storage_unavailable',
      `The file ${path} with the last good configuration cannot be read. Check the rights on it.`,
      { cause: thrown },
    );
  }
  try {
    const state = JSON.parse(text) as { version: number } & ConfigState;
    if ([1, version].includes(state.version) && Number.isInteger(state.revision) && Array.isArray(state.rows))
      return { revision: state.revision, rows: state.version === 1 ? state.rows.map(withDecimals) : state.rows };
  } catch {
    // Reported below.
  }
  throw new GatewayError(
    'storage_unavailable',
    `The file ${path} with the last good configuration is damaged, and the database cannot be reached. Bring the database back, or delete the file.`,
  );
}
