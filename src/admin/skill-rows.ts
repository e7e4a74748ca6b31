/** Finds, authorizes and shows the row of one skill for the routes below /api/skills/{name}. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { requireRight } from '../application/caller.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import { isVersion, skillOf, versionName } from '../config/skill-versions.ts';
import type { ConfigService } from '../config/service.ts';
import type { Action } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { showRow } from '../config/shown-row.ts';
import type { rowView } from './row-view.ts';
import { writerOf } from './writer.ts';

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

/** A change of the skill's own row by `edit`, which gets the stored spec. Null as `expectedRevision` accepts any revision. */
export function editOf(
  { tenant, name }: ConfigRow,
  expectedRevision: number | null,
  edit: (stored: ConfigRow['spec']) => ConfigRow['spec'],
) {
  return { kind: 'skill' as const, tenant, name, operation: 'replace' as const, edit, expectedRevision };
}

/** The request's version cannot be used, as `message` explains. */
export function invalidVersion(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { param: 'version' });
}

/** Applies the changes as one revision and replies with the row. Throws as `ConfigService.change` does. */
export async function sendChangedRow(
  config: ConfigService,
  request: FastifyRequest,
  reply: FastifyReply,
  { tenant, name }: ConfigRow,
  changes: Parameters<ConfigService['change']>[1],
  note: string,
): Promise<FastifyReply> {
  const { revision } = await config.change(writerOf(request), changes, note);
  const row = config.row(tenant, 'skill', name);
  if (row === undefined) throw noSkill(name);
  const shown: z.output<typeof rowView> = showRow(config.mask(row));
  return reply.header('x-pailou-revision', revision).send(shown);
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
