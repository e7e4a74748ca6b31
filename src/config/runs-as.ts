/** Skills that run with their own list instead of the caller's rights. The live version must say so, and an administrator must have allowed this version with exactly the things that it names. */
import { createHash } from 'node:crypto';
import type { ConfigRow } from '../types/resources.ts';
import type { SkillSpec } from '../types/skill-spec.ts';
import type { RunsAsSkill } from '../types/snapshot.ts';
import { readGrantReference } from './grant-reference.ts';
import type { RowSet } from './row-set.ts';
import { skillOf, versionName } from './skill-versions.ts';

type Named = Pick<SkillSpec, 'model' | 'tools'>;

/** The capabilities that the run may use, as patterns: a server covers its tools, a version its skill. */
export function namedPatterns({ model, tools }: Named): readonly string[] {
  return [`model/${model}`, ...tools.map((tool) => (tool.startsWith('skill/') ? `skill/${skillOf(tool.slice('skill/'.length))}` : tool))];
}

/** A digest of the version and the ids of the rows that it names. A row that took over a name changes it. */
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

/** The live version of the skill; undefined when callers get the row itself. */
export function liveVersion(row: ConfigRow, rows: RowSet): ConfigRow | undefined {
  const { live } = row.spec;
  return typeof live === 'string' ? rows.group('skill', row.tenant).get(versionName(row.name, live)) : undefined;
}

/** Returns null when calls of the skill use the rights of the caller. */
export function runsAsSkill(row: ConfigRow, rows: RowSet): RunsAsSkill | null {
  const { runs_as_allowed: allowed } = row.spec as Pick<SkillSpec, 'runs_as_allowed'>;
  const version = liveVersion(row, rows);
  if (allowed == null || version?.spec['runs_as'] !== 'skill') return null;
  const digest = runsAsDigest(version, rows);
  if (allowed.digest !== digest) return null;
  const within = namedPatterns(version.spec as unknown as Named);
  return { publisher: version.createdBy, allowedBy: allowed.by, allowedAt: allowed.at, digest, within };
}
