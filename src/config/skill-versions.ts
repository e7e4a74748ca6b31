/** Published versions of skills: immutable rows named `<skill>@<version>`. */
import { GatewayError } from '../types/errors.ts';
import type { SkillEntry } from '../types/snapshot.ts';

export const isVersion = (name: string): boolean => name.includes('@');
export const versionName = (skill: string, version: string): string => `${skill}@${version}`;
/** The skill's name, given it or one of its versions. */
export const skillOf = (name: string): string => name.split('@', 1)[0] ?? name;

export interface VersionedSkills {
  /** The live version, else the row itself. */
  readonly live: ReadonlyMap<string, SkillEntry>;
  /** By `<skill>@<version>`, and `<skill>@draft` for the row itself. */
  readonly versions: ReadonlyMap<string, SkillEntry>;
  readonly faults: readonly { readonly name: string; readonly error: GatewayError }[];
}

/** All versions of a skill share its name, owner and tags for decisions. */
export function versionedSkills(entries: ReadonlyMap<string, SkillEntry>): VersionedSkills {
  const live = new Map<string, SkillEntry>();
  const versions = new Map<string, SkillEntry>();
  const faults: { name: string; error: GatewayError }[] = [];
  for (const [name, entry] of entries) {
    if (!isVersion(name)) {
      // While another version is live, the draft must not look like the published version of its number.
      const version = (entry.spec.live ?? null) === null ? entry.spec.version : `${entry.spec.version}-draft`;
      versions.set(versionName(name, 'draft'), { ...entry, spec: { ...entry.spec, version } });
      continue;
    }
    const base = entries.get(skillOf(name));
    if (base !== undefined) versions.set(name, { ...entry, name: base.name, capability: base.capability });
  }
  for (const [name, entry] of entries) {
    if (isVersion(name)) continue;
    const wanted = entry.spec.live ?? null;
    const chosen = wanted === null ? entry : versions.get(versionName(name, wanted));
    if (chosen !== undefined) live.set(name, chosen);
    else {
      const param = 'spec.live';
      const error = new GatewayError(
        'configuration_invalid',
        `${param}: the skill has no published version "${wanted}"; publish it first.`,
        { param },
      );
      faults.push({ name, error });
    }
  }
  return { live, versions, faults };
}
