/**
 * Skills that run with their own list instead of their caller's rights: the published version that is live says so, and an administrator
 * allowed that very version with the very things that it names. Anything else falls back to the rights of the caller.
 */
import { createHash } from 'node:crypto';
import type { ConfigRow } from '../types/resources.ts';
import type { SkillSpec } from '../types/skill-spec.ts';
import type { RunsAsSkill } from '../types/snapshot.ts';
import { readGrantReference } from './grant-reference.ts';
import type { RowSet } from './row-set.ts';
import { skillOf, versionName } from './skill-versions.ts';

type Named = Pick<SkillSpec, 'model' | 'tools'>;

/** What the run may use, as patterns of a principal's reach: a named server stands for its tools, a version for its skill. */
export function namedPatterns({ model, tools }: Named): readonly string[] {
  return [`model/${model}`, ...tools.map((tool) => (tool.startsWith('skill/') ? `skill/${skillOf(tool.slice('skill/'.length))}` : tool))];
}

/** The same version naming the same rows. A row that took the name of another changes it. */
export function runsAsDigest(version: ConfigRow, rows: RowSet): string {
  const { model, tools } = version.spec as unknown as Named;
  const named = [`model/${model}`, ...tools].map((reference) => {
    const found = readGrantReference(reference);
    const row = found?.type === 'thing' ? rows.group(found.kind, version.tenant).get(found.name) : undefined;
    return [reference, row?.id ?? null];
  });
  return createHash('sha256')
    .update(JSON.stringify([version.id, named]))
    .digest('base64url');
}

/** The version of the skill that callers get; undefined where they get the row itself. */
export function liveVersion(row: ConfigRow, rows: RowSet): ConfigRow | undefined {
  const { live } = row.spec;
  return typeof live === 'string' ? rows.group('skill', row.tenant).get(versionName(row.name, live)) : undefined;
}

/** Null where the skill runs with the rights of its caller. */
export function runsAsSkill(row: ConfigRow, rows: RowSet): RunsAsSkill | null {
  const { runs_as_allowed: allowed } = row.spec as Pick<SkillSpec, 'runs_as_allowed'>;
  const version = liveVersion(row, rows);
  if (allowed == null || version?.spec['runs_as'] !== 'skill') return null;
  const digest = runsAsDigest(version, rows);
  if (allowed.digest !== digest) return null;
  const within = namedPatterns(version.spec as unknown as Named);
  return { publisher: version.createdBy, allowedBy: allowed.by, allowedAt: allowed.at, digest, within };
}
