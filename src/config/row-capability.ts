/** A row as a capability to decide about. */
import type { Capability, CapabilityKind } from '../types/access.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';

/** The permission codes for each kind of row. Providers, limits, service accounts and teams use those of models. */
export const rightsOf: Readonly<Record<ResourceKind, CapabilityKind>> = {
  provider: 'model',
  model: 'model',
  skill: 'skill',
  mcp: 'mcp',
  limit: 'model',
  grant: 'model',
  key: 'model',
  service: 'model',
  team: 'model',
};

/** The valid tags of a row. */
export function tagsOf({ spec }: Pick<ConfigRow, 'spec'>): readonly string[] {
  const { tags } = spec;
  return Array.isArray(tags) ? (tags as string[]) : [];
}

type Named = Pick<ConfigRow, 'name' | 'tenant' | 'owner' | 'spec'> & Partial<Pick<ConfigRow, 'id' | 'approvedTags'>>;

/** Tag grants reach a row by tags that an administrator approved and that it still has. */
export function capabilityOfRow(kind: ResourceKind, row: Named, tags: readonly string[] = tagsOf(row)): Capability {
  const { id, tenant, owner, approvedTags } = row;
  const rights = rightsOf[kind];
  const identity = id === undefined ? {} : { row: id };
  // The name of a row that is no capability keeps `model/*` grants off it; it has no tags.
  if (kind !== rights) {
    const approved = kind === 'provider' && approvedTags != null ? { approvedTags: [] } : {};
    return Object.freeze({ kind: rights, name: `#${kind}/${row.name}`, tenant, owner, tags, ...identity, ...approved });
  }
  const approved = approvedTags == null ? {} : { approvedTags: tags.filter((tag) => approvedTags.includes(tag)) };
  return Object.freeze({ kind: rights, name: row.name, tenant, owner, tags, ...identity, ...approved });
}
