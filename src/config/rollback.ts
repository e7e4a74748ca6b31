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
import { isVersion, skillOf } from './skill-versions.ts';

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

/**
 * The changes of the row, and of the grants and published versions that were deleted with it. One that was deleted before the row, or
 * that exists again, is not among them. Throws `not_found` for a row that is neither there nor among the changes.
 */
export function changesOf(all: readonly HistoryEntry[], tenant: string, { kind, name }: OneRow, rows: RowSet): readonly HistoryEntry[] {
  const entries = all.filter((entry) => entry.tenant === tenant);
  const isOwn = (entry: HistoryEntry): boolean => entry.kind === kind && nameOf(entry) === name;
  const own = entries.filter(isOwn);
  if (own.length === 0 && !rows.group(kind, tenant).has(name))
    throw new GatewayError('not_found', `only.name: there is no ${kind} named "${name}", and none was deleted since that revision.`, {
      param: 'only.name',
    });
  const ends = own.filter(({ before, after }) => before !== null && before.id !== after?.id);
  const deletions = new Set(ends.map(({ revision, before }) => `${revision} ${before?.id}`));
  const revisions = new Set(ends.map(({ revision }) => revision));
  const endedWithOwn = endedWithAccount(own);
  const isLast = lastOfEachRow(entries);
  const wentWithOwn = (entry: HistoryEntry): boolean => {
    if (entry.after !== null || !isLast(entry)) return false;
    if (entry.kind === 'grant') return endedWithOwn(entry) || deletions.has(`${entry.revision} ${entry.before?.target}`);
    const version = nameOf(entry);
    return kind === 'skill' && entry.kind === 'skill' && isVersion(version) && skillOf(version) === name && revisions.has(entry.revision);
  };
  return entries.filter((entry) => isOwn(entry) || wentWithOwn(entry));
}

const nameOf = ({ before, after }: HistoryEntry): string => (after ?? before)?.name ?? '';

/** True for the last change of a row. */
function lastOfEachRow(entries: readonly HistoryEntry[]): (entry: HistoryEntry) => boolean {
  const last = new Map(entries.map((entry) => [`${entry.kind} ${nameOf(entry)}`, entry]));
  return (entry) => last.get(`${entry.kind} ${nameOf(entry)}`) === entry;
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
    const name = nameOf(entry);
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
