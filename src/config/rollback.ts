/** Computes the rows that restore a tenant's configuration of an earlier revision. */
import type { Actor, ConfigChange, ConfigStore, HistoryEntry } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import { endedWithAccount, hasItsAccount } from './account-grants.ts';
import { isFileOwned, labelsOfPeople } from './file-owned.ts';
import { readGrantReference } from './grant-reference.ts';
import { findTarget, grantsOfDeleted } from './grant-targets.ts';
import type { RowSet } from './row-set.ts';
import { hasTarget } from './shared-rows.ts';

/** Throws `invalid_request` when changes since the revision were deleted by their age. */
export async function requireHistory(store: Pick<ConfigStore, 'oldestChange'>, revision: number): Promise<void> {
  const oldest = await store.oldestChange();
  if (oldest === null || oldest <= revision + 1) return;
  throw new GatewayError(
    'invalid_request',
    `revision: the history begins with revision ${oldest}, because older changes were deleted (PAILOU_KEEP_HISTORY_DAYS). Choose ${oldest - 1} or a later one.`,
    { param: 'revision' },
  );
}

/** One row, where a roll-back restores no other. */
export interface OneRow {
  readonly kind: ResourceKind;
  readonly name: string;
}

/** The changes of the row, and of the grants that were deleted with it. */
export function changesOf(entries: readonly HistoryEntry[], { kind, name }: OneRow): readonly HistoryEntry[] {
  const own = (entry: HistoryEntry): boolean => entry.kind === kind && (entry.after ?? entry.before)?.name === name;
  const deleted = new Set(entries.flatMap((entry) => (own(entry) && entry.after === null ? [entry.before?.id] : [])));
  const endedWithOwn = endedWithAccount(entries.filter(own));
  return entries.filter(
    (entry) =>
      own(entry) ||
      endedWithOwn(entry) ||
      (entry.kind === 'grant' && entry.after === null && entry.before?.target != null && deleted.has(entry.before.target)),
  );
}

/** What a roll-back goes by. */
export interface Undo {
  /** The changes to undo, oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** All changes since the revision, oldest first. */
  readonly since: readonly HistoryEntry[];
  /** The revision of the new rows. */
  readonly revision: number;
}

/** Rows of other tenants stay unchanged. */
export function undoSince({ entries, since, revision }: Undo, actor: Actor, rows: RowSet): ConfigChange[] {
  const targets = new Map<string, { entry: HistoryEntry; name: string; row: ConfigRow | null }>();
  for (const entry of entries.toReversed()) {
    // A revoked key stays revoked.
    if (entry.tenant !== actor.tenant || entry.kind === 'key') continue;
    const name = (entry.after ?? entry.before)?.name ?? '';
    targets.set(`${entry.kind} ${name}`, { entry, name, row: entry.before });
  }
  const now = new Date().toISOString();
  const changes = [...targets.values()].flatMap(({ entry, name, row }) => {
    const before = rows.group(entry.kind, entry.tenant).get(name) ?? null;
    if (before === null && row === null) return [];
    // The file decides, not the history.
    if (before !== null && isFileOwned(before)) return [];
    if (before !== null && row !== null && content(before) === content(row)) return [];
    const after = row === null ? null : { ...unowned(row), revision, updatedAt: now, updatedBy: actor.subject };
    return [{ kind: entry.kind, tenant: entry.tenant, before, after }];
  });
  return withGrants(changes, since, rows, actor.tenant);
}

/** Restores and deletes grants together with their row. An older, unbound grant belongs to the row with its name. */
function withGrants(changes: readonly ConfigChange[], since: readonly HistoryEntry[], rows: RowSet, tenant: string): ConfigChange[] {
  const restored = rows.with(changes);
  const isStillMeant = hasItsAccount(since, restored, tenant);
  const bound = changes.flatMap((change): ConfigChange[] => {
    const { kind, before, after } = change;
    if (kind !== 'grant' || after === null) return [change];
    const withoutIt = before === null ? [] : [{ ...change, after: null }];
    if (!isStillMeant(after)) return withoutIt;
    const capability = String(after.spec['capability']);
    if (readGrantReference(capability)?.type !== 'thing') return [change];
    const target = after.target ?? findTarget(restored, tenant, capability)?.id ?? null;
    if (target !== null && hasTarget(restored, tenant, target)) return [{ ...change, after: { ...after, target } }];
    return withoutIt;
  });
  return [...bound, ...grantsOfDeleted(bound, rows.with(bound))];
}

/** A row of an earlier file returns unlocked: the file no longer has it. */
function unowned(row: ConfigRow): ConfigRow {
  return isFileOwned(row) ? { ...row, labels: labelsOfPeople(row) } : row;
}

/** Without the basis, which is decided anew. */
function content(row: ConfigRow): string {
  return JSON.stringify([row.id, row.spec, row.enabled, row.owner, row.target ?? null, row.approvedTags ?? null, row.labels ?? null]);
}
