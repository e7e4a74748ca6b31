/** Grants to a service account end with it: a later account of the same name inherits none (docs/decisions/0063-service-accounts-are-rows.md). */
import type { ConfigChange, HistoryEntry } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import { splitPerson } from '../types/person.ts';
import type { ConfigRow } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';
import { namedKey } from './row-references.ts';
import type { RowSet } from './row-set.ts';
import { unknownName } from './validation-errors.ts';

type Row = Pick<ConfigRow, 'kind' | 'spec'>;

/** The name of the service account that a grant is to; null for every other row. */
export function grantedAccount({ kind, spec }: Row): string | null {
  if (kind !== 'grant' || spec['subject_type'] !== 'user') return null;
  const { issuer, subject } = splitPerson(String(spec['subject']));
  return issuer === serviceAccountIssuer ? subject : null;
}

/** Throws `configuration_invalid` for a grant to a service account that does not exist: an account made later would have the right. */
export function requireAccount(rows: RowSet, tenant: string, row: Row): void {
  const name = grantedAccount(row);
  if (name === null) return;
  const accounts = rows.group('service', tenant);
  if (!accounts.has(name)) throw unknownName('service account', name, accounts.keys(), 'spec.subject');
}

/**
 * Throws `configuration_invalid` for an owner that is a service account. An owner has rights over its row, and a later account of the name
 * would have them. A key is the exception: it names the id of its account.
 */
export function refuseOwner(owner: string | null): string | null {
  if (owner !== null && splitPerson(owner).issuer === serviceAccountIssuer)
    throw new GatewayError(
      'configuration_invalid',
      'owner: a service account manages nothing, so it owns no row. Name a person, or null; grant the row to the account instead.',
      { param: 'owner' },
    );
  return owner;
}

/** The deletions of service accounts among the changes. An account that only changed is not among them. */
function deletedAccounts<C extends ConfigChange>(changes: readonly C[]): C[] {
  return changes.filter(({ kind, before, after }) => kind === 'service' && before !== null && before.id !== after?.id);
}

/** The grants that are deleted with their service account. `rows` have the changes. */
export function grantsOfDeletedAccounts(changes: readonly ConfigChange[], rows: RowSet): ConfigChange[] {
  return deletedAccounts(changes).flatMap(({ tenant, before }) =>
    [...rows.referring(tenant, namedKey('service', before?.name ?? ''))].flatMap((row): ConfigChange[] =>
      row.kind === 'grant' ? [{ kind: 'grant', tenant, before: row, after: null }] : [],
    ),
  );
}

/** True for a grant that was deleted together with its service account. */
export function endedWithAccount(entries: readonly HistoryEntry[]): (entry: HistoryEntry) => boolean {
  const places = new Set(deletedAccounts(entries).map(({ revision, before }) => `${revision} ${before?.name}`));
  return ({ revision, before, after }) => after === null && before !== null && places.has(`${revision} ${grantedAccount(before)}`);
}

/**
 * False for a grant of an earlier revision to a service account that was deleted since, unless `restored` has that very account again.
 * `since` are all changes after that revision.
 */
export function hasItsAccount(since: readonly HistoryEntry[], restored: RowSet, tenant: string): (row: ConfigRow) => boolean {
  const ids = new Map<string, string>();
  for (const { tenant: of, before } of deletedAccounts(since).toReversed())
    if (of === tenant && before !== null) ids.set(before.name, before.id);
  return (row) => {
    const name = grantedAccount(row);
    if (name === null) return true;
    const id = restored.group('service', tenant).get(name)?.id;
    return id !== undefined && (ids.get(name) ?? id) === id;
  };
}
