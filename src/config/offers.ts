/** What a row offers to other tenants: `spec.shared_with` of models, skills and MCP servers. */
import type { CapabilityKind } from '../types/access.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import { isVersion } from './skill-versions.ts';

/** In `shared_with`: every tenant. */
const everyTenant = '*';

const sharedKinds: readonly ResourceKind[] = ['model', 'skill', 'mcp'] satisfies CapabilityKind[];

type Row = Pick<ConfigRow, 'kind' | 'tenant' | 'name' | 'spec'>;

/** The tenants to which the row is offered. Empty for a row that is not shared. A skill offers its live version, not a row of a version. */
export function offeredTo({ kind, name, spec }: Row): readonly string[] {
  const { shared_with: tenants } = spec;
  if (!Array.isArray(tenants) || !sharedKinds.includes(kind) || isVersion(name)) return [];
  return tenants as readonly string[];
}

export const isOffered = (row: Row): boolean => offeredTo(row).length > 0;

/** True for a tenant other than the row's own that the row names. */
export function isOfferedTo(row: Row, tenant: string): boolean {
  return row.tenant !== tenant && offeredTo(row).some((each) => each === everyTenant || each === tenant);
}

/** The tenants that an offer reaches, of all that are known. */
export function receiversOf(row: Row, tenants: Iterable<string>): readonly string[] {
  const named = offeredTo(row);
  return [...(named.includes(everyTenant) ? tenants : named)].filter((each) => each !== row.tenant);
}
