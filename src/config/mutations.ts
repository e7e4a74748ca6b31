/** Turns the mutations of a request into the rows to write. */
import { randomUUID } from 'node:crypto';
import { maskRow, rowContext, type SecretBox } from '../storage/secret-box.ts';
import type { Actor, ConfigChange } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import { grantableKinds } from './grant-reference.ts';
import { type ConfigRow, type GrantSpec, type ResourceKind, resourceNames } from '../types/resources.ts';
import { refuseOwner, requireAccount } from './account-grants.ts';
import { findTarget, requireNewRight, requireTarget } from './grant-targets.ts';
import type { InstanceFactory } from './instances.ts';
import { parseOptions } from './instances.ts';
import { prepareAlerts } from './limit-alerts.ts';
import { invalidBySchema, refusePoison } from './validation-errors.ts';
import { pluginTypes } from './reach.ts';
import type { PersonNames } from './person-names.ts';
import { resolvePeople, showPeople } from './row-people.ts';
import { tagsOf } from './row-capability.ts';
import { showRow } from './shown-row.ts';
import { requireSameAddresses } from './secret-address.ts';
import { hasMasked, restoreMasked, sealOptions } from './secret-fields.ts';
import type { RowLabels } from '../types/row-labels.ts';
import type { RowSet } from './row-set.ts';
import { requireShareable } from './shareable.ts';
import { hasTarget, refuseShared } from './shared-rows.ts';
import { requireTeam } from './team-accounts.ts';
import { parseSpec } from './parse-spec.ts';

export interface Mutation {
  readonly kind: ResourceKind;
  readonly tenant: string;
  readonly name: string;
  readonly operation: 'create' | 'replace' | 'delete';
  readonly spec?: unknown;
  /** Instead of `spec`: computed from the stored row at write time, with masked secrets, so that concurrent small changes both count. */
  readonly edit?: (stored: ConfigRow['spec']) => unknown;
  readonly enabled?: boolean;
  /** Undefined keeps the labels. */
  readonly labels?: RowLabels;
  /** Undefined keeps the owner. */
  readonly owner?: string | null;
  /** The revision of the row that the caller saw; null or absent overwrites any revision. */
  readonly expectedRevision?: number | null;
  /** For a grant on one thing: the id of the row that had the name when the writer asked; null for a pattern or a tag. Undefined binds to whatever has the name at write time. */
  readonly expectedTarget?: string | null;
}

/** The spec to store: validated, with defaults, secrets sealed. `***` keeps the secrets of `stored`. */
export function prepareSpec(
  kind: ResourceKind,
  given: unknown,
  row: { tenant: string; id: string },
  stored: ConfigRow | null,
  factory: InstanceFactory,
  secrets: SecretBox,
): ConfigRow['spec'] {
  refusePoison(given, ['spec']);
  const spec = parseSpec(kind, given) as Record<string, unknown>;
  // Only publishing and roll-back set the live version.
  if (kind === 'skill' && spec['runs_as_allowed'] === undefined) spec['runs_as_allowed'] = stored?.spec['runs_as_allowed'] ?? null;
  if (kind === 'skill') {
    const before = stored?.spec['live'] ?? null;
    if (spec['live'] === undefined) spec['live'] = before;
    else if (spec['live'] === null && before !== null && stored?.spec['publish_needs_cases'] === true)
      throw new GatewayError(
        'configuration_invalid',
        'spec.live: callers of this skill get only versions whose cases passed (publish_needs_cases); leave live out, and publish.',
        { param: 'spec.live' },
      );
  }
  if (kind === 'limit') return prepareAlerts(spec, row, stored, factory.services, secrets);
  const type = pluginTypes[kind];
  const place = { kind, tenant: row.tenant, spec };
  if (type === undefined) {
    requireShareable(place, []);
    return spec;
  }
  const { options: schema, ...plugin } = factory.plugin(type, String(spec['kind']));
  const context = rowContext(row);
  const sameKind = stored !== null && stored.spec['kind'] === spec['kind'];
  const kept = sameKind ? stored.spec['options'] : undefined;
  const restored = restoreMasked(spec['options'] ?? {}, kept, schema);
  const parsed = parseOptions(schema, restored, secrets, context);
  if (kept !== undefined && hasMasked(spec['options'], schema)) requireSameAddresses(parsed, kept, { schema, secrets, context });
  requireShareable(place, plugin.reaches?.(parsed) ?? []);
  return { ...spec, options: sealOptions(restored, schema, secrets, context) };
}

/** An unchanged grant stays bound to its row, even when another row has the name now. Throws `revision_conflict` when the name was given to another row since the writer asked. */
function targetOf(
  { name, tenant, expectedTarget }: Mutation,
  spec: ConfigRow['spec'],
  before: ConfigRow | null,
  rows: RowSet,
): string | null {
  const wanted = spec as unknown as GrantSpec;
  const isSame = before?.target != null && before.spec['capability'] === wanted.capability && hasTarget(rows, tenant, before.target);
  if (!isSame && expectedTarget !== undefined && expectedTarget !== (findTarget(rows, tenant, wanted.capability)?.id ?? null))
    throw new GatewayError(
      'revision_conflict',
      `spec.capability: what was named "${wanted.capability}" when you asked was deleted since. Look at what has the name now, then grant again.`,
      { param: 'spec.capability' },
    );
  const target = isSame ? (before.target ?? null) : requireTarget(rows, tenant, wanted.capability);
  requireNewRight(rows, tenant, name, wanted, target);
  return target;
}

/** True for a write of the whole spec. */
export const isComplete = ({ spec, edit }: Mutation): boolean => spec !== undefined && edit === undefined;

/**
 * An administrator's complete write approves the row with its tags. A partial one approves the tags that it adds to an approved row, and
 * no tag that the owner added. Other writes keep the earlier approval.
 */
function approvalOf(
  mutation: Mutation,
  before: ConfigRow | null,
  spec: ConfigRow['spec'],
  { isAdministrator }: Actor,
): Pick<ConfigRow, 'approvedTags'> {
  if (!(grantableKinds as readonly string[]).includes(mutation.kind)) return {};
  if (isAdministrator === true && isComplete(mutation)) return { approvedTags: tagsOf({ spec }) };
  if (before?.approvedTags == null) return {};
  const { approvedTags } = before;
  if (isAdministrator !== true) return { approvedTags };
  const stored = tagsOf(before);
  return { approvedTags: tagsOf({ spec }).filter((tag) => approvedTags.includes(tag) || !stored.includes(tag)) };
}

export function planChange(
  mutation: Mutation,
  rows: RowSet,
  revision: number,
  actor: Actor,
  factory: InstanceFactory,
  secrets: SecretBox,
  names: PersonNames,
): ConfigChange {
  const { kind, tenant, name, operation } = mutation;
  const before = rows.group(kind, tenant).get(name) ?? null;
  if (operation === 'create') {
    const checked = resourceNames[kind].safeParse(name);
    if (!checked.success) throw invalidBySchema(checked.error, ['name']);
    if (before !== null)
      throw new GatewayError('already_exists', `There is already a ${kind} named "${name}". Choose another name, or update it.`, {
        param: 'name',
      });
  } else if (before === null) {
    if (actor.isAdministrator === true) refuseShared(rows, tenant, kind, name);
    throw new GatewayError('not_found', `There is no ${kind} named "${name}".`, { param: 'name' });
  } else if (
    mutation.expectedRevision !== undefined &&
    mutation.expectedRevision !== null &&
    mutation.expectedRevision !== before.revision
  ) {
    throw new GatewayError(
      'revision_conflict',
      `The ${kind} "${name}" was changed since you read it (you saw revision ${mutation.expectedRevision}, it is at ${before.revision}). Read it again, then write.`,
      {
        expose: { current: showRow(showPeople(maskRow(before), names)) },
      },
    );
  }
  if (operation === 'delete') return { kind, tenant, before, after: null };
  const now = new Date().toISOString();
  const id = before?.id ?? randomUUID();
  const given = mutation.edit === undefined || before === null ? mutation.spec : mutation.edit(maskRow(before).spec);
  const prepared = (): ConfigRow['spec'] =>
    resolvePeople(kind, prepareSpec(kind, given, { tenant, id }, before, factory, secrets), before?.spec ?? null, names);
  const spec = given === undefined && before !== null ? before.spec : prepared();
  // Such a limit would count no caller.
  if (kind === 'limit' && spec['replaces'] === name)
    throw new GatewayError('configuration_invalid', 'spec.replaces: a limit cannot replace itself; name another one, or leave it out.', {
      param: 'spec.replaces',
    });
  requireAccount(rows, tenant, { kind, spec });
  const after: ConfigRow = {
    id,
    tenant,
    kind,
    name,
    spec,
    ...(kind === 'grant' ? { target: targetOf(mutation, spec, before, rows) } : {}),
    // A write without a spec leaves it with its team, which may have been deleted.
    ...(kind === 'service' ? { target: given === undefined ? (before?.target ?? null) : requireTeam(rows, tenant, spec) } : {}),
    ...approvalOf(mutation, before, spec, actor),
    ...labelsOf(mutation.labels ?? before?.labels),
    enabled: mutation.enabled ?? before?.enabled ?? true,
    owner: ownerOf(mutation, before?.owner ?? null, names),
    revision,
    createdAt: before?.createdAt ?? now,
    createdBy: before?.createdBy ?? actor.subject,
    updatedAt: now,
    updatedBy: actor.subject,
  };
  return { kind, tenant, before, after };
}

function labelsOf(labels: RowLabels | undefined): Pick<ConfigRow, 'labels'> {
  return labels === undefined || Object.keys(labels).length === 0 ? {} : { labels };
}

function ownerOf({ kind, owner: written }: Mutation, stored: string | null, names: PersonNames): string | null {
  if (written === undefined) return stored;
  const owner = written === null ? null : names.resolve(written, 'owner', stored);
  return kind === 'key' ? owner : refuseOwner(owner);
}
