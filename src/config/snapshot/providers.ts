/** Providers of a snapshot: each changed row gets an instance, or keeps it when its options stay. */
import type { ProviderEntry } from '../../types/snapshot.ts';
import { providerEntry } from '../instances.ts';
import type { PersistentMap } from '../persistent-map.ts';
import { type BuildEdit, parseOnce } from './build-edit.ts';
import { namesOf, type TenantChanges } from './changed-names.ts';

export async function buildProviders(
  edit: BuildEdit,
  tenant: string,
  changes: TenantChanges,
  before: PersistentMap<ProviderEntry>,
): Promise<PersistentMap<ProviderEntry>> {
  const rows = edit.rows.group('provider', tenant);
  const made = new Map<string, ProviderEntry | undefined>();
  for (const name of namesOf(changes, 'provider')) {
    edit.clear('row', { kind: 'provider', tenant, name });
    made.set(name, undefined);
    const row = rows.get(name);
    if (row?.enabled === true) {
      await edit.tolerate(row, async () => {
        parseOnce('provider', row.spec);
        made.set(name, providerEntry(row, await edit.instance('provider', row)));
      });
    }
    edit.settle({ kind: 'provider', tenant, name });
  }
  return before.with(made);
}
