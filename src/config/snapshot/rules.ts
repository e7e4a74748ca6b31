/** Grants, limits and keys of a snapshot. */
import { maskSealed } from '../../storage/secret-box.ts';
import { toGatewayError } from '../../types/errors.ts';
import type { LimitIndex, LimitRule } from '../../types/limits.ts';
import type { ConfigRow } from '../../types/resources.ts';
import type { CompiledGrants, GrantRow } from '../grant-index.ts';
import { requireBound } from '../grant-targets.ts';
import { compileLimits, limitRule } from '../limit-index.ts';
import { parseSpec } from '../parse-spec.ts';
import { grantedKey } from '../row-references.ts';
import type { BuildEdit } from './build-edit.ts';
import { namesOf, type TenantChanges } from './changed-names.ts';

/** As it was added to the index; null for a row that was left out. */
function addedGrant(row: ConfigRow | undefined): GrantRow | null {
  if (row?.enabled !== true) return null;
  try {
    return { id: row.name, spec: parseSpec('grant', row.spec), target: row.target ?? null };
  } catch {
    return null;
  }
}

/** Changed grants, and those on a row that appeared or is gone. */
export function buildGrants(edit: BuildEdit, tenant: string, changes: TenantChanges, before: CompiledGrants): CompiledGrants {
  const names = namesOf(changes, 'grant');
  for (const kind of ['provider', 'model', 'skill', 'mcp'] as const) {
    for (const { before: was, after: is } of changes.differences.get(kind) ?? []) {
      if (was?.id === is?.id) continue;
      for (const id of [was?.id, is?.id])
        if (id !== undefined) for (const { name } of edit.rows.referring(tenant, grantedKey(id, ''))) names.add(name);
    }
  }
  if (names.size === 0) return before;
  const removed: GrantRow[] = [];
  const added: GrantRow[] = [];
  const [earlier, rows] = [edit.previous.rows.group('grant', tenant), edit.rows.group('grant', tenant)];
  for (const name of names) {
    edit.clear('row', { kind: 'grant', tenant, name });
    const old = addedGrant(earlier.get(name));
    if (old !== null) removed.push(old);
    const row = rows.get(name);
    if (row?.enabled !== true) continue;
    try {
      requireBound(row, edit.rows);
      added.push({ id: row.name, spec: parseSpec('grant', row.spec), target: row.target ?? null });
    } catch (thrown) {
      edit.report('row', row, toGatewayError(thrown));
    }
  }
  return before.with(removed, added);
}

const rules = new WeakMap<ConfigRow, LimitRule>();

function ruleOf(row: ConfigRow, timeZone: string): LimitRule {
  let rule = rules.get(row);
  // A limit holds even where its secret cannot be opened.
  if (rule === undefined) rules.set(row, (rule = limitRule(row, parseSpec('limit', maskSealed(row.spec)), timeZone)));
  return rule;
}

/** Limits are compiled together; an unchanged row is parsed once. */
export function buildLimits(edit: BuildEdit, tenant: string, changes: TenantChanges, before: LimitIndex, timeZone: string): LimitIndex {
  const changed = namesOf(changes, 'limit');
  if (changed.size === 0) return before;
  for (const name of changed) edit.clear('row', { kind: 'limit', tenant, name });
  const compiled: LimitRule[] = [];
  for (const row of edit.rows.group('limit', tenant).values()) {
    if (!row.enabled) continue;
    try {
      compiled.push(ruleOf(row, timeZone));
    } catch (thrown) {
      edit.clear('row', row);
      edit.report('row', row, toGatewayError(thrown));
    }
  }
  return compileLimits(compiled);
}

export function buildKeys(edit: BuildEdit, tenant: string, changes: TenantChanges): void {
  const rows = edit.rows.group('key', tenant);
  for (const name of namesOf(changes, 'key')) {
    edit.clear('row', { kind: 'key', tenant, name });
    const row = rows.get(name);
    if (edit.previous.keys.get(name)?.tenant === tenant) edit.keys.set(name, undefined);
    if (row?.enabled !== true) continue;
    try {
      const spec = parseSpec('key', row.spec);
      edit.keys.set(name, { id: name, tenant, spec, expiresAt: Date.parse(spec.expires_at) });
    } catch (thrown) {
      edit.report('row', row, toGatewayError(thrown));
    }
  }
}
