/** The basis of a row: the right by which it reaches each target. Stored with the row and re-checked by every snapshot. */
import type { Capability } from '../types/access.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { Basis } from '../types/basis.ts';
import { readGrantReference } from './grant-reference.ts';
import type { RowSet } from './row-set.ts';
import { parseSpec } from './parse-spec.ts';

export const administratorBasis = 'administrator';

export function basisOf({ basis }: Pick<ConfigRow, 'basis'>, key: string): string | undefined {
  return basis?.[key] ?? basis?.['*'];
}

const subjectOf = ({ spec }: ConfigRow): string => `${String(spec['subject_type'])}:${String(spec['subject'])}`;

/** The stored form of a grant as a basis. A grant to another subject is another basis. */
const grantBasis = (grant: ConfigRow): string => `grant:${grant.name} ${subjectOf(grant)}`;

/** The grant that a basis names, if it is unchanged. */
function grantOf(basis: string, tenant: string, rows: RowSet): ConfigRow | null {
  const name = /^grant:(\S+)/.exec(basis)?.[1];
  const grant = name === undefined ? undefined : rows.group('grant', tenant).get(name);
  return grant !== undefined && grantBasis(grant) === basis ? grant : null;
}

/** Converts `grant:<name>` of a decision to its stored form. */
export function bindGrants(basis: Basis, tenant: string, rows: RowSet): Basis {
  return Object.fromEntries(
    Object.entries(basis).map(([key, rule]) => {
      const grant = rule.startsWith('grant:') ? rows.group('grant', tenant).get(rule.slice('grant:'.length)) : undefined;
      return [key, grant === undefined ? rule : grantBasis(grant)];
    }),
  );
}

/** The time in epoch milliseconds at which the right of the basis ends; null when it no longer holds. `thing` is the reached row. */
export function basisEnds(
  basis: string | undefined,
  {
    row,
    thing,
    name,
    rows,
    now,
  }: { readonly row: ConfigRow; readonly thing: Capability | null; readonly name: string; readonly rows: RowSet; readonly now: number },
): number | null {
  if (basis === administratorBasis || basis === 'public') return Infinity;
  // A missing row gives no right.
  if (basis === 'unknown') return thing === null ? Infinity : null;
  // Also for rows of older versions: an owner of both rows needs no further right.
  if (thing !== null && thing.owner !== null && thing.owner === row.owner) return Infinity;
  const grant = basis === undefined ? null : grantOf(basis, row.tenant, rows);
  if (grant === null || !grant.enabled) return null;
  const { action, expires_at: expires } = parseSpec('grant', grant.spec);
  const ends = expires === null ? Infinity : Date.parse(expires);
  return action === 'use' && covers(grant, thing, name) && ends > now ? ends : null;
}

/** A grant on one provider is bound to its row; a pattern covers names that an administrator approved. */
function covers({ spec, target }: ConfigRow, thing: Capability | null, name: string): boolean {
  const reference = readGrantReference(String(spec['capability']));
  if (reference?.kind !== 'provider') return false;
  if (reference.type === 'thing') return target != null && target === thing?.row;
  return reference.type === 'pattern' && thing?.approvedTags !== undefined && name.startsWith(reference.prefix);
}
