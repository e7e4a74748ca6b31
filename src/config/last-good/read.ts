/** Reads the last good configuration from disk. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDecimalAmounts } from '../../storage/micro-unit-specs.ts';
import type { ConfigState } from '../../types/config-store.ts';
import { GatewayError } from '../../types/errors.ts';
import type { ConfigRow } from '../../types/resources.ts';
import { committedGroups, fileName } from './lines.ts';

/** The file of earlier versions of Pailou: one JSON text. */
export const oldFileName = 'last-good.json';

const isMissing = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ENOENT';

function unreadable(path: string, cause: unknown): GatewayError {
  const message = `The file ${path} with the last good configuration cannot be read. Check the rights on it.`;
  return new GatewayError('storage_unavailable', message, { cause });
}

function damaged(path: string): GatewayError {
  return new GatewayError(
    'storage_unavailable',
    `The file ${path} with the last good configuration is damaged, and the database cannot be reached. Bring the database back, or delete the file.`,
  );
}

const withDecimals = (row: ConfigRow): ConfigRow => ({ ...row, spec: withDecimalAmounts(row.kind, row.spec) });

/** Version 1 had money in micro-units. */
async function readOld(path: string): Promise<ConfigState | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw unreadable(path, thrown);
  }
  try {
    const state = JSON.parse(text) as { version: number } & ConfigState;
    if ([1, 2].includes(state.version) && Number.isInteger(state.revision) && Array.isArray(state.rows))
      return { revision: state.revision, rows: state.version === 1 ? state.rows.map(withDecimals) : state.rows };
  } catch {
    // Reported below.
  }
  throw damaged(path);
}

/** The last complete revision; null when there is none. Throws `storage_unavailable` for a file that cannot be used. */
export async function readLastGood(dataDir: string): Promise<ConfigState | null> {
  const path = join(dataDir, fileName);
  const rows = new Map<string, ConfigRow>();
  let revision: number | null = null;
  try {
    for await (const group of committedGroups(path)) {
      ({ revision } = group);
      for (const { content } of group.lines) {
        const key = JSON.stringify([content.kind, content.tenant, content.name]);
        if (content.row === null) rows.delete(key);
        else rows.set(key, content.row);
      }
    }
  } catch (thrown) {
    if (isMissing(thrown)) return readOld(join(dataDir, oldFileName));
    if (thrown instanceof SyntaxError) throw damaged(path);
    throw unreadable(path, thrown);
  }
  if (revision === null) throw damaged(path);
  return { revision, rows: [...rows.values()] };
}
