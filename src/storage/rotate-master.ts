/**
 * Re-seals everything in the database under the current master key while nodes serve. Each batch is a transaction, so it can be stopped
 * and resumed, and concurrent writes are neither lost nor overwritten.
 */
import { auditEntryId } from './audit.ts';
import type { Database } from './database.ts';
import { renewedJson, sealedIn } from './sealed-json.ts';
import { type Cursor, type SealedColumns, sealedColumns, type SealedRow } from './sealed-columns.ts';
import { keyIdOf, type MasterKeys } from './secret-box.ts';

/** Sealed values by key. */
export interface SealedCount {
  readonly values: number;
  /** Under an old key that is available. */
  readonly old: number;
  /** The number of values under each missing key, by key id. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Places of values that do not open although their key is available: changed, or moved from another row. */
  readonly damaged: readonly string[];
}

/** The number of changed values, and the counts afterwards. */
export interface Rotation {
  readonly changed: number;
  readonly left: SealedCount;
}

/** Opens every value. Rejects with `storage_unavailable`. */
export async function countSealed(database: Database, keys: MasterKeys): Promise<SealedCount> {
  let values = 0;
  let old = 0;
  const unknown = new Map<string, number>();
  const damaged: string[] = [];
  await eachPage(database, keys, (place, rows) => {
    for (const { about, texts } of rows) {
      for (const { json, context } of texts) {
        for (const sealed of sealedIn(json)) {
          values++;
          const by = place.box.keyOf(sealed);
          if (by === 'unknown') {
            const id = keyIdOf(sealed);
            unknown.set(id, (unknown.get(id) ?? 0) + 1);
          } else if (!opens(place, sealed, context)) damaged.push(about);
          else if (by === 'old') old++;
        }
      }
    }
  });
  return { values, old, unknown, damaged };
}

/** Rejects with `storage_unavailable`; completed batches stay changed. */
export async function rotateMaster(database: Database, keys: MasterKeys): Promise<Rotation> {
  const byTenant = new Map<string, number>();
  let changed = 0;
  const book = (row: SealedRow, count: number): void => {
    changed += count;
    if (row.tenant !== null && count > 0) byTenant.set(row.tenant, (byTenant.get(row.tenant) ?? 0) + count);
  };
  const renewPage = (place: SealedColumns, after: Cursor | null): Promise<Cursor | null> =>
    database.query
      .transaction()
      .execute(async (transaction) => {
        const { rows, next } = await place.page(transaction, after);
        const counts: number[] = [];
        for (const row of rows) counts.push(await renewRow(place, row, (texts) => row.write(transaction, texts)));
        return { rows, next, counts };
      })
      .then(({ rows, next, counts }) => {
        for (const [index, row] of rows.entries()) book(row, counts[index] ?? 0);
        return next;
      });
  try {
    for (const place of sealedColumns(keys)) {
      let after = await renewPage(place, null);
      while (after !== null) after = await renewPage(place, after);
    }
  } catch (thrown) {
    throw database.explain(thrown);
  } finally {
    // Reports the progress of an interrupted run too, if the database accepts it.
    await auditRotation(database, keys, byTenant).catch(() => {});
  }
  return { changed, left: await countSealed(database, keys) };
}

function opens(place: SealedColumns, sealed: { readonly $sealed: string }, context: string): boolean {
  try {
    place.box.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}

async function eachPage(
  database: Database,
  keys: MasterKeys,
  look: (place: SealedColumns, rows: readonly SealedRow[]) => void,
): Promise<void> {
  try {
    for (const place of sealedColumns(keys)) {
      let after: Cursor | null = null;
      do {
        const { rows, next } = await place.page(database.query, after);
        look(place, rows);
        after = next;
      } while (after !== null);
    }
  } catch (thrown) {
    throw database.explain(thrown);
  }
}

/** The number of changed values of the row. */
async function renewRow(place: SealedColumns, row: SealedRow, write: (texts: SealedRow['texts']) => Promise<boolean>): Promise<number> {
  const texts = row.texts.map((text) => ({ ...text, json: renewedJson(text.json, place.box, text.context) }));
  const before = row.texts.flatMap(({ json }) => sealedIn(json));
  const after = texts.flatMap(({ json }) => sealedIn(json));
  const count = before.filter((sealed, index) => sealed.$sealed !== after[index]?.$sealed).length;
  if (count === 0) return 0;
  // A concurrently written row was sealed by its writer. The final count shows whether an old key was used.
  return (await write(texts)) ? count : 0;
}

async function auditRotation(database: Database, keys: MasterKeys, byTenant: ReadonlyMap<string, number>): Promise<void> {
  const rows = [...byTenant].map(([tenant, count]) => ({
    id: auditEntryId(),
    at: new Date().toISOString(),
    tenant,
    actor: 'pailou',
    act: 'master key rotated',
    target: 'secrets',
    before: null,
    after: null,
    detail: `${count} values sealed with key ${keys.current.id}`,
    request_id: '',
    sequence: null,
    hash: null,
  }));
  await database.insertMany([{ table: 'llm_audit', rows }]);
}
