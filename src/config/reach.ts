/** What a row reaches beside itself, computed from the row and the rows of its tenant. */
import type { Capability } from '../types/access.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { Reach } from '../types/writes.ts';
import { readGrantReference } from './grant-reference.ts';
import type { InstanceFactory, RowPluginType } from './instances.ts';
import { capabilityOfRow } from './row-capability.ts';
import type { RowSet } from './row-set.ts';
import { parseSpec } from './snapshot-builder.ts';

/** Kinds of rows whose `spec.kind` names a plugin with options. */
export const pluginTypes: Readonly<Partial<Record<ResourceKind, RowPluginType>>> = {
  provider: 'provider',
  skill: 'skill',
  mcp: 'tool-source',
};

function providersOf(row: ConfigRow, rows: RowSet): Reach[] {
  const providers = rows.group('provider', row.tenant);
  return parseSpec('model', row.spec).deployments.map(({ provider: name, model }, index) => {
    const provider = providers.get(name);
    const thing = provider === undefined ? null : capabilityOfRow('provider', provider);
    return { type: 'provider', name, model, thing, param: `spec.deployments[${index}].provider` };
  });
}

/** The row that a grant is bound to, of which a tool is a part; null for a pattern, a tag, and what is not there. */
function grantedThing({ tenant, target }: ConfigRow, capability: string, rows: RowSet): Capability | null {
  const reference = readGrantReference(capability);
  if (reference?.type !== 'thing' || capability.endsWith('*')) return null;
  const row = rows.group(reference.kind, tenant).get(reference.name);
  return row === undefined || (target != null && row.id !== target) ? null : capabilityOfRow(reference.kind, row);
}

/** All that `row` reaches. Throws `configuration_invalid` for a row that no snapshot could hold. */
export function reachesOf(row: ConfigRow, rows: RowSet, factory: InstanceFactory): readonly Reach[] {
  const { kind, spec } = row;
  if (kind === 'model') return providersOf(row, rows);
  if (kind === 'grant') {
    const { capability } = parseSpec('grant', spec);
    return [{ type: 'granted', capability, thing: grantedThing(row, capability, rows), param: 'spec.capability' }];
  }
  const type = pluginTypes[kind];
  if (type === undefined) return [];
  const pluginKind = String(spec['kind']);
  const { reaches } = factory.plugin(type, pluginKind);
  return (reaches ?? []).map((reach) => ({ type: reach, kind: pluginKind, param: 'spec.kind' }));
}
