/** The bodies of writes: what GET gives is accepted, and what a write cannot change must be as it was. */
import { isDeepStrictEqual } from 'node:util';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { mergePatch } from '../schema/merge-patch.ts';
import { GatewayError } from '../types/errors.ts';
import type { Json, JsonObject } from '../types/json.ts';
import type { ConfigRow } from '../types/resources.ts';
import { expectedRevision } from './actor.ts';
import { rowView } from './row-view.ts';

const { id, name, revision, created_at, created_by, updated_at, updated_by, approved_tags, labels, locked, partial } = rowView.shape;

/** The members of GET that a write cannot change. */
const fixed = { id, name, created_at, created_by, updated_at, updated_by, approved_tags, labels, locked, partial };

/** The members of a row beside `spec`, `enabled` and `owner`, as GET gives them. */
export const givenRow = {
  ...z.object(fixed).partial().shape,
  revision: revision.optional().describe('As GET gave it: the write fails with 409 when the row has changed since, as with If-Match.'),
  warnings: z.array(z.string()).optional().describe('Ignored.'),
};

export type GivenRow = z.output<z.ZodObject<typeof givenRow>>;

export const replacing = 'What GET gave is accepted: its other members must be unchanged, and its revision is checked as If-Match is.';
export const patching =
  'A JSON Merge Patch (RFC 7386), as application/merge-patch+json or application/json: null removes a member of spec, so that its default applies; objects are merged, lists replaced. Another change at the same time is kept.';

/** The body of PATCH: a JSON Merge Patch of the row. */
export const rowPatch = z.strictObject({
  ...givenRow,
  spec: z
    .record(z.string(), z.json())
    .optional()
    .describe('The members to change; null removes one, so that its default applies. "***" keeps a secret.'),
  enabled: z.boolean().optional(),
});

/** The revision that the caller saw, in If-Match or in the body. */
export function seenRevision(request: FastifyRequest, body: GivenRow): number | null {
  return expectedRevision(request) ?? body.revision ?? null;
}

/** Throws `invalid_request` for a member that a write cannot change. `shown` is the row as GET gives it. */
export function requireFixed(body: GivenRow, shown: z.output<typeof rowView>): void {
  // A stale row is a conflict, which says more.
  if (body.revision !== undefined && body.revision !== shown.revision) return;
  for (const member of Object.keys(fixed) as (keyof typeof fixed)[]) {
    if (body[member] === undefined || isDeepStrictEqual(body[member], shown[member])) continue;
    throw new GatewayError('invalid_request', `${member}: cannot be changed here; leave it out, or as GET gives it.`, { param: member });
  }
}

/** The spec after a merge patch of the stored one, whose secrets are masked. */
export function patchedSpec(stored: ConfigRow['spec'], patch: JsonObject): Record<string, Json | undefined> {
  return mergePatch(stored as Json, patch) as JsonObject;
}

const mostRetries = 5;

/** Runs a patch again when another change came first, unless the caller named the revision. */
export async function retryPatch<T>(request: FastifyRequest, body: GivenRow, patch: () => Promise<T>): Promise<T> {
  const isBound = seenRevision(request, body) !== null;
  for (let retries = 0; ; retries++)
    try {
      return await patch();
    } catch (thrown) {
      if (isBound || retries === mostRetries || !(thrown instanceof GatewayError) || thrown.code !== 'revision_conflict') throw thrown;
    }
}
