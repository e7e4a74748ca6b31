/**
 * An administrator reads the API as another person would, by the header `x-pailou-view-as`: with the rights of that person's last token, as far as
 * the administrator has them too. Reading alone, at the addresses of the table below; each view is in the audit.
 */
import type { FastifyRequest } from 'fastify';
import { isAdministrator } from '../auth/decide.ts';
import type { PersonNames } from '../config/person-names.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';
import type { AuditLog } from '../storage/audit.ts';
import { principalOfPerson } from '../storage/people.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { longestPerson, personRef, splitPerson } from '../types/person.ts';

export const viewAsHeader = 'x-pailou-view-as';

/** What the pages of the console read. Nothing here sends a credential of the person, returns what the person alone may read, or changes anything. */
const readable: ReadonlySet<string> = new Set([
  '/api/access/issuers',
  '/api/access/matrix',
  '/api/audit',
  '/api/catalogue',
  '/api/config/history',
  '/api/config/problems',
  '/api/config/revision',
  '/api/explain',
  '/api/grants',
  '/api/grants/:name',
  '/api/health',
  '/api/keys',
  '/api/keys/:id',
  '/api/kinds',
  '/api/limits',
  '/api/limits/:name',
  '/api/mcp-servers',
  '/api/mcp-servers/:name',
  '/api/mcp-servers/:name/health',
  '/api/mcp-servers/:name/items',
  '/api/me',
  '/api/models',
  '/api/models/:name',
  '/api/people',
  '/api/people/:id',
  '/api/providers',
  '/api/providers/:name',
  '/api/reports/budgets',
  '/api/reports/failed-attempts',
  '/api/reports/series',
  '/api/runs',
  '/api/runs/:id',
  '/api/service-accounts',
  '/api/service-accounts/:name',
  '/api/settings',
  '/api/shared',
  '/api/skills',
  '/api/skills/:name',
  '/api/skills/:name/versions',
  '/api/teams',
  '/api/teams/:name',
  '/api/teams/:name/members',
  '/api/usage',
  '/v1/models',
  '/v1/models/*',
  '/v1/skills',
  '/v1/skills/:name',
]);

/** Of the same kind, with the question in the body of a POST. */
const questions: ReadonlySet<string> = new Set(['/api/route/explain']);

/** A view is recorded again after this time. */
const recordedForMs = 3_600_000;
const mostRecorded = 1_000;

/** The person as whom `viewer` asks. Rejects with `permission_denied`, `invalid_request`, `not_found` or `storage_unavailable`. */
export type ViewAs = (request: FastifyRequest, viewer: Principal) => Promise<Principal>;

export interface ViewAsServices {
  readonly people: Pick<PeopleReader, 'named'>;
  readonly names: PersonNames;
  readonly audit: Pick<AuditLog, 'append'>;
}

/** Headers hold Latin letters alone, so the name is written as in an address. */
function nameIn(header: unknown): string {
  const refused = new GatewayError(
    'invalid_request',
    `${viewAsHeader}: must be one person as GET /api/people lists them (id), encoded as in an address.`,
    { param: viewAsHeader },
  );
  if (typeof header !== 'string' || header === '' || header.length > longestPerson * 9) throw refused;
  let name: string;
  try {
    name = decodeURIComponent(header);
  } catch {
    throw refused;
  }
  // No person has such a name, and PostgreSQL refuses the statement.
  if (name.includes('\0')) throw refused;
  return name;
}

export function requireReading(request: FastifyRequest, viewer: Principal): void {
  if (!isAdministrator(viewer) || viewer.credential === 'key')
    throw new GatewayError('permission_denied', 'Only administrators may see the gateway as another person.');
  const { url = '' } = request.routeOptions;
  const isReading = (request.method === 'GET' && readable.has(url)) || (request.method === 'POST' && questions.has(url));
  if (!isReading)
    throw new GatewayError(
      'permission_denied',
      `You see the gateway as another person: nothing can be changed, called or downloaded so. End the view, or leave out ${viewAsHeader}.`,
    );
}

export function createViewAs({ people, names, audit }: ViewAsServices): ViewAs {
  const recordedAt = new Map<string, number>();

  const record = (request: FastifyRequest, viewer: Principal, person: Principal): void => {
    const view = JSON.stringify([viewer.tenant, personRef(viewer), personRef(person)]);
    const now = monotonicNow();
    if (now - (recordedAt.get(view) ?? -Infinity) < recordedForMs) return;
    if (recordedAt.size >= mostRecorded) recordedAt.clear();
    recordedAt.set(view, now);
    audit.append({
      tenant: viewer.tenant,
      actor: personRef(viewer),
      act: 'viewed as',
      target: `person/${personRef(person)}`,
      requestId: request.id,
      detail: 'reads the API as this person',
    });
  };

  return async (request, viewer) => {
    requireReading(request, viewer);
    const name = nameIn(request.headers[viewAsHeader]);
    const [person] = await people.named(viewer.tenant, [splitPerson(names.resolve(name, viewAsHeader))]);
    if (person === undefined)
      throw new GatewayError(
        'not_found',
        `No token with the subject "${name}" has been seen yet. GET /api/people lists the known subjects.`,
        {
          param: viewAsHeader,
        },
      );
    const principal = principalOfPerson(person);
    record(request, viewer, principal);
    return { ...principal, permissions: new Set([...principal.permissions].filter((code) => viewer.permissions.has(code))) };
  };
}
