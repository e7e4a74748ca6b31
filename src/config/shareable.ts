/** Refuses offers to other tenants that would take more along than the row itself. */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { PluginReach } from '../types/writes.ts';
import { offeredTo } from './offers.ts';

const param = 'spec.shared_with';

const reasons: Readonly<Record<PluginReach, string>> = {
  program: 'it starts a program on this machine, which the operator allows by tenant; share a server that is called over HTTP',
  'tools-of-others': 'it selects tools of other servers; share those servers',
  'caller-identity':
    'it acts with the identity of each caller, which must not leave their tenant; share a server with a credential of its own',
};

/** Throws `configuration_invalid` for an offer to the row's own tenant, and for a server that acts on more than its own address. */
export function requireShareable(row: Pick<ConfigRow, 'kind' | 'tenant' | 'spec'>, reaches: readonly PluginReach[]): void {
  // A version of a skill carries the list of its skill.
  const tenants = offeredTo({ ...row, name: '' });
  const fault = (why: string): GatewayError => new GatewayError('configuration_invalid', `${param}: ${why}.`, { param });
  if (tenants.includes(row.tenant)) throw fault(`"${row.tenant}" is the tenant of the row; name other tenants, or "*" for all`);
  const [reach] = reaches;
  if (tenants.length > 0 && reach !== undefined) throw fault(`the row cannot be shared, because ${reasons[reach]}`);
}
