/** Finds, authorizes and shows the row of one skill for the routes below /api/skills/{name}. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { requireRight } from '../application/caller.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import { isVersion, skillOf, versionName } from '../config/skill-versions.ts';
import type { ConfigService } from '../config/service.ts';
import type { Action } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { type rowView, showRow } from './row-view.ts';

export const namedSkill = z.object({ name: z.string().min(1).max(200) });
export type NamedSkill = z.output<typeof namedSkill>;

/** Throws `permission_denied` or `not_found`, also for a row to be created. */
export function requireRowRight(request: FastifyRequest, action: Action, row: Pick<ConfigRow, 'name' | 'tenant' | 'owner' | 'spec'>): void {
  const principal = principalOf(request);
  requireRight({ principal, view: snapshotOf(request).tenant(principal.tenant) }, action, capabilityOfRow('skill', row));
}

/** Throws `not_found` for a missing row and for a published version, `permission_denied` without the right. */
export function requireRow(config: ConfigService, request: FastifyRequest<{ Params: NamedSkill }>, action: Action): ConfigRow {
  const { name } = request.params;
  const row = isVersion(name) ? undefined : config.row(principalOf(request).tenant, 'skill', name);
  if (row === undefined) throw noSkill(name);
  requireRowRight(request, action, row);
  return row;
}

/** The row after a change. */
export function shownRow(config: ConfigService, { tenant, name }: ConfigRow): z.output<typeof rowView> {
  const row = config.row(tenant, 'skill', name);
  if (row === undefined) throw noSkill(name);
  return showRow(config.mask(row));
}

/** The rows of its published versions. */
export function versionsOf(config: ConfigService, { tenant, name }: ConfigRow): ConfigRow[] {
  return config.rows(tenant, 'skill').filter((row) => isVersion(row.name) && skillOf(row.name) === name);
}

export function hasVersion(config: ConfigService, row: ConfigRow, version: string): boolean {
  return versionsOf(config, row).some((each) => each.name === versionName(row.name, version));
}

function noSkill(name: string): GatewayError {
  return new GatewayError('not_found', `There is no skill named "${name}".`, { param: 'name' });
}
