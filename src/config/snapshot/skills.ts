/** Skills of a snapshot. A skill and its published versions are made together, when one of them or a thing that they name has changed. */
import type { ConfigRow } from '../../types/resources.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import type { PersistentMap } from '../persistent-map.ts';
import { capabilityOfRow } from '../row-capability.ts';
import { namedKey, versionsKey } from '../row-references.ts';
import type { RowSet } from '../row-set.ts';
import { sharedRow } from '../shared-rows.ts';
import { runsAsSkill } from '../runs-as.ts';
import { isVersion, skillOf, versionedSkills, versionName } from '../skill-versions.ts';
import { unknownName } from '../validation-errors.ts';
import { type BuildEdit, parseOnce } from './build-edit.ts';
import { namesOf, type TenantChanges } from './changed-names.ts';

export interface Skills {
  readonly skills: PersistentMap<SkillEntry>;
  readonly skillVersions: PersistentMap<SkillEntry>;
  readonly skillNames: PersistentMap<true>;
}

/** A row whose existence or identity changed changes what names it. */
function affectedSkills(edit: BuildEdit, tenant: string, changes: TenantChanges): ReadonlySet<string> {
  const skills = new Set([...namesOf(changes, 'skill')].map(skillOf));
  for (const kind of ['model', 'skill', 'mcp', 'provider'] as const) {
    for (const { name, before, after } of changes.differences.get(kind) ?? []) {
      if (before?.id === after?.id) continue;
      for (const row of edit.rows.referring(tenant, namedKey(kind, name))) if (row.kind === 'skill') skills.add(skillOf(row.name));
    }
  }
  return skills;
}

/** The skill's row and its published versions. */
function familyOf(rows: RowSet, tenant: string, skill: string): readonly ConfigRow[] {
  const draft = rows.group('skill', tenant).get(skill);
  const versions = [...rows.referring(tenant, versionsKey(skill))].filter((row) => row.kind === 'skill');
  return draft === undefined ? versions : [draft, ...versions];
}

async function skillOfRow(edit: BuildEdit, row: ConfigRow): Promise<SkillEntry> {
  const spec = parseOnce('skill', row.spec);
  const models = edit.rows.group('model', row.tenant);
  if (!models.has(spec.model) && sharedRow(edit.rows, row.tenant, 'model', spec.model) === undefined)
    throw unknownName('model', spec.model, models.keys(), 'spec.model');
  const { instance } = await edit.instance('skill', row);
  const created = Math.floor(Date.parse(row.createdAt) / 1000);
  return { name: row.name, capability: capabilityOfRow('skill', row, spec.tags), spec, instance, created };
}

function withRunsAs(entry: SkillEntry, row: ConfigRow | undefined, rows: RowSet): SkillEntry {
  const runsAs = row === undefined ? null : runsAsSkill(row, rows);
  return runsAs === null ? entry : { ...entry, runsAs };
}

export async function buildSkills(edit: BuildEdit, tenant: string, changes: TenantChanges, before: Skills): Promise<Skills> {
  const live = new Map<string, SkillEntry | undefined>();
  const versions = new Map<string, SkillEntry | undefined>();
  const names = new Map<string, true | undefined>();
  for (const skill of affectedSkills(edit, tenant, changes)) {
    const family = familyOf(edit.rows, tenant, skill);
    const earlier = familyOf(edit.previous.rows, tenant, skill);
    names.set(skill, family.length === 0 ? undefined : true);
    live.set(skill, undefined);
    versions.set(versionName(skill, 'draft'), undefined);
    edit.clear('live', { kind: 'skill', tenant, name: skill });
    const entries = new Map<string, SkillEntry>();
    for (const row of [...earlier, ...family]) {
      edit.clear('row', row);
      if (isVersion(row.name)) versions.set(row.name, undefined);
    }
    for (const row of family) {
      if (!row.enabled) continue;
      await edit.tolerate(row, async () => entries.set(row.name, await skillOfRow(edit, row)));
    }
    for (const row of [...earlier, ...family]) edit.settle(row);
    const made = versionedSkills(entries);
    for (const [name, entry] of made.versions) versions.set(name, entry);
    for (const [name, entry] of made.live) live.set(name, withRunsAs(entry, edit.rows.group('skill', tenant).get(name), edit.rows));
    for (const { name, error } of made.faults) edit.report('live', { kind: 'skill', tenant, name }, error);
  }
  return {
    skills: before.skills.with(live),
    skillVersions: before.skillVersions.with(versions),
    skillNames: before.skillNames.with(names),
  };
}
