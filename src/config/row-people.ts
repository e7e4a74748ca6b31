/** The people that a row names: stored as references, shown as the API writes them. */
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { PersonNames } from './person-names.ts';

/** True when `subject` of the spec is a person; `*` in a limit matches every person. */
function namesPerson(kind: ResourceKind, spec: ConfigRow['spec']): boolean {
  if (spec['subject_type'] !== 'user' || typeof spec['subject'] !== 'string') return false;
  return kind === 'grant' || (kind === 'limit' && spec['subject'] !== '*');
}

function administratorsIn({ administrators }: ConfigRow['spec']): readonly string[] {
  return Array.isArray(administrators) ? administrators.map(String) : [];
}

/** The spec with its people as references. Throws `invalid_request`. */
export function resolvePeople(
  kind: ResourceKind,
  spec: ConfigRow['spec'],
  stored: ConfigRow['spec'] | null,
  names: PersonNames,
): ConfigRow['spec'] {
  if (kind === 'team') {
    const known = administratorsIn(stored ?? {});
    const resolved = administratorsIn(spec).map((person, index) =>
      names.resolve(person, `spec.administrators[${index}]`, known.includes(person) ? person : null),
    );
    return { ...spec, administrators: [...new Set(resolved)] };
  }
  if (!namesPerson(kind, spec)) return spec;
  const before = stored !== null && namesPerson(kind, stored) ? String(stored['subject']) : null;
  return { ...spec, subject: names.resolve(String(spec['subject']), 'spec.subject', before) };
}

function specAsShown({ kind, spec }: ConfigRow, names: PersonNames): ConfigRow['spec'] {
  if (kind === 'team') return { ...spec, administrators: administratorsIn(spec).map((person) => names.show(person)) };
  return namesPerson(kind, spec) ? { ...spec, subject: names.show(String(spec['subject'])) } : spec;
}

/** The row as the control API shows it. */
export function showPeople(row: ConfigRow, names: PersonNames): ConfigRow {
  return {
    ...row,
    owner: row.owner === null ? null : names.show(row.owner),
    createdBy: names.show(row.createdBy),
    updatedBy: names.show(row.updatedBy),
    spec: specAsShown(row, names),
  };
}
