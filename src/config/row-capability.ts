/** A row as a thing to decide about. */
import type { Capability, CapabilityKind } from '../types/access.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';

/** Whose permission codes apply to each kind of row; a provider and a limit are part of the models' world. */
export const rightsOf: Readonly<Record<ResourceKind, CapabilityKind>> = {
  provider: 'model',
  model: 'model',
  skill: 'skill',
  mcp: 'mcp',
  limit: 'model',
  grant: 'model',
  key: 'model',
};

export function capabilityOfRow(kind: ResourceKind, row: Pick<ConfigRow, 'name' | 'tenant' | 'owner' | 'spec'>): Capability {
  const rights = rightsOf[kind];
  const tags = Array.isArray(row.spec['tags']) ? (row.spec['tags'] as string[]) : [];
  // A row that is no capability is named so that no `model/*` grant covers it.
  const name = kind === rights ? row.name : `#${kind}/${row.name}`;
  return { kind: rights, name, tenant: row.tenant, owner: row.owner, tags };
}
