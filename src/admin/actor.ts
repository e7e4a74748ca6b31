/** The actor of a change for revisions and audit, and the revision that the caller saw. */
import type { FastifyRequest } from 'fastify';
import { isAdministrator } from '../auth/decide.ts';
import { principalOf } from '../api/request-context.ts';
import type { Actor } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';

export function actorOf(request: FastifyRequest): Actor {
  const principal = principalOf(request);
  const { username, tenant } = principal;
  return { subject: personRef(principal), username, tenant, requestId: request.id, isAdministrator: isAdministrator(principal) };
}

/** The revision in `If-Match`; null when the caller sent none or `*`. */
export function expectedRevision(request: FastifyRequest): number | null {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return null;
  const number = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header)?.[1];
  if (number === undefined)
    throw new GatewayError('invalid_request', 'If-Match must be the revision of the row, e.g. If-Match: "12".', { param: 'If-Match' });
  return Number(number);
}
