/** What of a row is shown: all of it to those who may manage it, its public part to those who may only look. One rule for all kinds of rows. */
import type { FastifyRequest } from 'fastify';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { decide } from '../auth/decide.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import type { ConfigService } from '../config/service.ts';
import { versionName } from '../config/skill-versions.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { SkillEntry } from '../types/snapshot.ts';

/** No addresses, credentials, prompts, files, vendors, prices or cases. A kind that is not here shows nothing. */
const publicFields: Readonly<Partial<Record<ResourceKind, readonly string[]>>> = {
  provider: ['kind'],
  model: ['description', 'operations', 'features', 'tags'],
  skill: ['kind', 'version', 'title', 'description', 'tags', 'runs_as'],
  mcp: ['kind', 'description', 'prefix', 'approval', 'tags'],
};

type Spec = ConfigRow['spec'];

/** `spec` is masked. The schemas of a skill are those that its callers are told. */
export function publicSpec(kind: ResourceKind, spec: Spec, skill?: SkillEntry): Spec {
  const fields = publicFields[kind] ?? [];
  const shown = Object.fromEntries(fields.filter((field) => field in spec).map((field) => [field, spec[field]]));
  if (skill === undefined) return shown;
  const { inputSchema, outputSchema } = skill.instance.describe();
  return { ...shown, input_schema: inputSchema, output_schema: outputSchema };
}

/** Of a skill its callers get the version that is live; the draft is for those who work on it. */
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

/** The row as this caller may see it, secrets masked. That they may view it at all was decided before. */
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
