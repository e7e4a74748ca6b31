/** Every write is decided about within its own turn: the row before, the row after, and all that both reach. */
import type { GrantIndex } from '../types/access.ts';
import type { ConfigChange } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { Reach, RowWrite, Writer } from '../types/writes.ts';
import type { InstanceFactory } from './instances.ts';
import { reachesOf } from './reach.ts';
import { capabilityOfRow } from './row-capability.ts';
import { reservedReaches } from './reserved-names.ts';
import type { RowSet } from './row-set.ts';
import { isVersion, skillOf } from './skill-versions.ts';

export interface WriteScene {
  /** As they are before the write. */
  readonly rows: RowSet;
  readonly grants: GrantIndex;
  readonly factory: InstanceFactory;
}

const titles: Readonly<Partial<Record<ResourceKind, string>>> = { mcp: 'MCP server' };

function thingOf(kind: ResourceKind, row: ConfigRow, rows: RowSet): RowWrite['thing'] {
  const base = kind === 'skill' && isVersion(row.name) ? rows.group('skill', row.tenant).get(skillOf(row.name)) : undefined;
  return capabilityOfRow(kind, base ?? row);
}

function require(writer: Writer, write: RowWrite, grants: GrantIndex): void {
  const decision = writer.decide(write, grants);
  if (decision.allowed) return;
  const row = write.before ?? write.after;
  const title = titles[write.kind] ?? write.kind;
  if (decision.status === 404) throw new GatewayError('not_found', `There is no ${title} named "${row?.name}".`, { param: 'name' });
  throw new GatewayError(
    'permission_denied',
    `You may not ${write.before === null ? 'create' : 'change'} the ${title} "${row?.name}": ${decision.reason}`,
    decision.param === undefined ? {} : { param: decision.param },
  );
}

/** What a stored row reaches; one that no snapshot can hold reaches nothing. */
function reachesBefore(row: ConfigRow, { rows, factory }: WriteScene): readonly Reach[] {
  try {
    return reachesOf(row, rows, factory);
  } catch {
    return [];
  }
}

/** Throws `permission_denied` or `not_found` unless the writer may touch the stored row at all. Asked before anything of the row is shown. */
export function authorizeRow(writer: Writer, kind: ResourceKind, stored: ConfigRow, { rows, grants }: WriteScene): void {
  if (!writer.kinds.includes(kind)) throw new Error(`the route of this request does not declare that it writes rows of kind ${kind}`);
  require(writer, { kind, before: stored, after: stored, thing: thingOf(kind, stored, rows), reaches: [] }, grants);
}

/** True where a version of a skill is allowed to run as itself. To take the allowance back is no more than to manage the skill. */
function changesAllowance(before: ConfigRow | null, after: ConfigRow | null): boolean {
  const allowed = after?.spec['runs_as_allowed'] ?? null;
  return allowed !== null && JSON.stringify(allowed) !== JSON.stringify(before?.spec['runs_as_allowed'] ?? null);
}

/** Throws `permission_denied` or `not_found` unless the writer may make the whole change. */
export function authorizeChange(writer: Writer, { kind, before, after }: ConfigChange, scene: WriteScene): void {
  if (!writer.kinds.includes(kind)) throw new Error(`the route of this request does not declare that it writes rows of kind ${kind}`);
  const row = before ?? after;
  if (row === null) return;
  const reaches = after === null ? [] : reachesOf(after, scene.rows, scene.factory);
  // What is deleted reaches nothing any more; a grant that is taken back is a change for other people.
  const left = before === null || (after === null && kind !== 'grant') ? [] : reachesBefore(before, scene);
  const thing = thingOf(kind, row, scene.rows);
  const allowance = changesAllowance(before, after) ? [{ type: 'runs-as' as const, param: 'spec.runs_as_allowed' }] : [];
  const reserved = reservedReaches(kind, before, after, scene.rows);
  require(writer, { kind, before, after, thing, reaches: [...left, ...reaches, ...reserved, ...allowance] }, scene.grants);
}
