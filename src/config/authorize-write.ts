/** Authorizes every write within its own turn: the row before, the row after, and everything that both reach. */
import type { GrantIndex } from '../types/access.ts';
import type { Basis } from '../types/basis.ts';
import type { ConfigChange } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { AddressReach, PriceReach, ProviderReach, Reach, RowWrite, Writer } from '../types/writes.ts';
import { basisEnds, basisOf, bindGrants } from './basis.ts';
import type { InstanceFactory } from './instances.ts';
import { reachesOf } from './reach.ts';
import { capabilityOfRow } from './row-capability.ts';
import { reservedReaches } from './reserved-names.ts';
import type { RowSet } from './row-set.ts';
import { reachesOtherTenants } from './shared-rows.ts';
import { isVersion, skillOf } from './skill-versions.ts';
import { teamOfKey } from './team-accounts.ts';

export interface WriteScene {
  /** The rows before the write. */
  readonly rows: RowSet;
  readonly grants: GrantIndex;
  readonly factory: InstanceFactory;
}

type KeptReach = ProviderReach | PriceReach | AddressReach;
const isKept = (reach: Reach): reach is KeptReach => reach.type === 'provider' || reach.type === 'price' || reach.type === 'address';

const titles: Readonly<Partial<Record<ResourceKind, string>>> = { mcp: 'MCP server', service: 'service account' };

function thingOf(kind: ResourceKind, row: ConfigRow, rows: RowSet): RowWrite['thing'] {
  const base = kind === 'skill' && isVersion(row.name) ? rows.group('skill', row.tenant).get(skillOf(row.name)) : undefined;
  return capabilityOfRow(kind, base ?? row);
}

function teamIn(kind: ResourceKind, row: ConfigRow, rows: RowSet): Pick<RowWrite, 'team'> {
  return kind === 'key' ? { team: teamOfKey(row, (each, name) => rows.group(each, row.tenant).get(name)) } : {};
}

/** Throws unless the writer is allowed. Returns the basis: the right by which the row reaches each target. */
function decided(writer: Writer, write: RowWrite, grants: GrantIndex): Basis {
  if (!writer.kinds.includes(write.kind))
    throw new Error(`the route of this request does not declare that it writes rows of kind ${write.kind}`);
  const decision = writer.decide(write, grants);
  if (decision.allowed) return decision.basis;
  const name = (write.before ?? write.after)?.name ?? '';
  const title = titles[write.kind] ?? write.kind;
  if (decision.status === 404) throw new GatewayError('not_found', `There is no ${title} named "${name}".`, { param: 'name' });
  throw new GatewayError(
    'permission_denied',
    `You may not ${write.before === null ? 'create' : 'change'} the ${title} "${name}": ${decision.reason}`,
    decision.param === undefined ? {} : { param: decision.param },
  );
}

/** The reaches of a stored row; empty for a row that no snapshot can hold. */
function storedReaches(row: ConfigRow, { rows, factory }: WriteScene): readonly Reach[] {
  try {
    return reachesOf(row, rows, factory);
  } catch {
    return [];
  }
}

/**
 * Keeps the basis of the row before where it still holds. A roll-back restores the row with its earlier basis. `approves`: the write
 * approves every address of the row, unchanged ones too.
 */
function withKept(
  reach: Reach,
  before: ConfigRow | null,
  left: readonly Reach[],
  row: ConfigRow,
  { rows, approves }: { readonly rows: RowSet; readonly approves: boolean },
): Reach {
  if (!isKept(reach) || (approves && reach.type === 'address')) return reach;
  const stayed = before !== null && left.some(({ key }) => key === reach.key) ? before : null;
  const source = row.basis === undefined ? stayed : row;
  if (source === null) return reach;
  const basis = basisOf(source, reach.key);
  const { thing = null, name = '' } = reach.type === 'address' ? {} : reach;
  const holds = basis !== undefined && basisEnds(basis, { row, thing, name, rows, now: Date.now() }) !== null;
  return holds ? { ...reach, kept: basis } : reach;
}

/** True when a version of a skill is newly allowed to run as itself. Withdrawing the allowance only needs the right to manage the skill. */
function changesAllowance(before: ConfigRow | null, after: ConfigRow | null): boolean {
  const allowed = after?.spec['runs_as_allowed'] ?? null;
  return allowed !== null && JSON.stringify(allowed) !== JSON.stringify(before?.spec['runs_as_allowed'] ?? null);
}

/** Throws `permission_denied` or `not_found` unless the writer may touch the stored row. Called before anything of the row is shown. */
export function authorizeRow(writer: Writer, kind: ResourceKind, stored: ConfigRow, { rows, grants }: WriteScene): void {
  const write = {
    kind,
    before: stored,
    after: stored,
    thing: thingOf(kind, stored, rows),
    left: [],
    reaches: [],
    ...teamIn(kind, stored, rows),
  };
  decided(writer, write, grants);
}

/**
 * The change to write, with its basis. Throws `permission_denied` or `not_found` unless the writer may make the whole change.
 * `isComplete`: the writer wrote the whole spec. An administrator then approves the addresses of the row.
 */
export function authorizeChange(writer: Writer, change: ConfigChange, scene: WriteScene, isComplete: boolean): ConfigChange {
  const { kind, before, after } = change;
  const row = before ?? after;
  if (row === null) return change;
  const left = before === null ? [] : storedReaches(before, scene);
  const reserved = reservedReaches(kind, before, after, scene.rows);
  const allowance: readonly Reach[] = changesAllowance(before, after)
    ? [{ type: 'runs-as', key: 'runs-as', param: 'spec.runs_as_allowed' }]
    : [];
  const shared: readonly Reach[] = [before, after].some((each) => each !== null && reachesOtherTenants(scene.rows, each))
    ? [{ type: 'shared', key: 'shared', param: 'spec.shared_with' }]
    : [];
  const kept = { rows: scene.rows, approves: isComplete && writer.actor.isAdministrator === true };
  const reaches =
    after === null ? [] : reachesOf(after, scene.rows, scene.factory).map((each) => withKept(each, before, left, after, kept));
  const write: RowWrite = {
    kind,
    before,
    after,
    thing: thingOf(kind, row, scene.rows),
    // A deleted row reaches nothing. A withdrawn grant is still a change for other people.
    left: [...left.filter((each) => (after === null ? each.type === 'granted' : !isKept(each))), ...reserved, ...allowance, ...shared],
    reaches,
    ...teamIn(kind, row, scene.rows),
  };
  const basis = decided(writer, write, scene.grants);
  return after === null ? change : { ...change, after: { ...after, basis: bindGrants(basis, after.tenant, scene.rows) } };
}
