/** The people that a row names: stored as references, shown as the API writes them. */
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { PersonNames } from './person-names.ts';

/** True when `subject` of the spec is a person; `*` in a limit matches every person. */
function namesPerson(kind: ResourceKind, spec: ConfigRow['spec']): boolean {
  if (spec['subject_type'] !== 'user' || typeof spec['subject'] !== 'string') return false;
  return kind === 'grant' || (kind === 'limit' && spec['subject'] !== '*');
}

/** The spec with the person as a reference. Throws `invalid_request`. */
export function resolvePeople(
  kind: ResourceKind,
  spec: ConfigRow['spec'],
  stored: ConfigRow['spec'] | null,
  names: PersonNames,
): ConfigRow['spec'] {
  if (!namesPerson(kind, spec)) return spec;
  const before = stored !== null && namesPerson(kind, stored) ? String(stored['subject']) : null;
  return { ...spec, subject: names.resolve(String(spec['subject']), 'spec.subject', before) };
}

/** The row as the control API shows it. */
export function showPeople(row: ConfigRow, names: PersonNames): ConfigRow {
  const { spec } = row;
  return {
    ...row,
    owner: row.owner === null ? null : names.show(row.owner),
    createdBy: names.show(row.createdBy),
    updatedBy: names.show(row.updatedBy),
    spec: namesPerson(row.kind, spec) ? { ...spec, subject: names.show(String(spec['subject'])) } : spec,
  };
}
