/** The visible part of a row: all of it for those who may manage it, its public part for those who may view it. One rule for all kinds. */
import type { FastifyRequest } from 'fastify';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { decide } from '../auth/decide.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import type { ConfigService } from '../config/service.ts';
import { versionName } from '../config/skill-versions.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { SkillEntry } from '../types/snapshot.ts';

/** Public fields by kind: no addresses, credentials, prompts, files, vendors, prices or cases. Unlisted kinds show nothing. */
const publicFields: Readonly<Partial<Record<ResourceKind, readonly string[]>>> = {
  provider: ['kind'],
  model: ['description', 'operations', 'features', 'tags'],
  skill: ['kind', 'version', 'title', 'description', 'tags', 'runs_as'],
  team: ['description', 'role', 'administrator_role', 'administrators'],
  service: ['description', 'roles', 'team'],
  mcp: ['kind', 'description', 'prefix', 'approval', 'tags'],
};

type Spec = ConfigRow['spec'];

/** `spec` is masked. The schemas of a skill are those of its instance. */
export function publicSpec(kind: ResourceKind, spec: Spec, skill?: SkillEntry): Spec {
  const fields = publicFields[kind] ?? [];
  const shown = Object.fromEntries(fields.filter((field) => field in spec).map((field) => [field, spec[field]]));
  if (skill === undefined) return shown;
  const { inputSchema, outputSchema } = skill.instance.describe();
  return { ...shown, input_schema: inputSchema, output_schema: outputSchema };
}

/** Viewers get the live version of a skill; the draft is for those who manage it. */
function liveSpec(config: ConfigService, { tenant, name, spec }: ConfigRow): Spec {
  const { live } = spec;
  if (typeof live !== 'string') return spec;
  return config.row(tenant, 'skill', versionName(name, live))?.spec ?? {};
}

export function mayManage(request: FastifyRequest, row: ConfigRow): boolean {
  const principal = principalOf(request);
  const { grants } = snapshotOf(request).tenant(principal.tenant);
  return decide(principal, 'manage', capabilityOfRow(row.kind, row), grants, Date.now()).allowed;
}

/** The row as this caller may see it, secrets masked. The right to view it was decided before. */
export function visibleRow(
  request: FastifyRequest,
  config: ConfigService,
  row: ConfigRow,
): { readonly row: ConfigRow; readonly partial: boolean } {
  const masked = config.mask(row);
  if (mayManage(request, row)) return { row: masked, partial: false };
  if (row.kind !== 'skill') return { row: { ...masked, spec: publicSpec(row.kind, masked.spec) }, partial: true };
  const entry = snapshotOf(request).tenant(row.tenant).skills.get(row.name);
  return { row: { ...masked, spec: publicSpec('skill', liveSpec(config, masked), entry) }, partial: true };
}
