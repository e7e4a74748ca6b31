/** The last good rows on disk, so that a node serves across a restart while the database is away. Secrets stay sealed. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withDecimalAmounts } from '../storage/micro-unit-specs.ts';
import type { ConfigState } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';

/** 1: amounts of money in micro-units. */
const version = 2;

/** Whole or not at all: a crash in the middle leaves the file before. */
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

/** Null if there is none. Throws `storage_unavailable` for a file that cannot be read as what it should be. */
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
    // Told below.
  }
  throw new GatewayError(
    'storage_unavailable',
    `The file ${path} with the last good configuration is damaged, and the database cannot be reached. Bring the database back, or delete the file.`,
  );
}
