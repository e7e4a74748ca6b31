/** Decides for whom a key is made: the caller, another person, or a service account. */
import { isAdministrator } from '../auth/decide.ts';
import { decideAccount } from '../auth/decide-team.ts';
import type { ConfigService } from '../config/service.ts';
import { teamOfAccount } from '../config/team-accounts.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import type { PermissionCode, Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, splitPerson } from '../types/person.ts';
import { keyPermissions, type KeySpec } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';

interface WantedOwner {
  readonly for?: string | undefined;
  readonly service?: string | undefined;
}

type KeyOwner = Pick<KeySpec, 'issuer' | 'subject' | 'service_id'>;

const onlyAdministrators = (param: string, whom: string): GatewayError =>
  new GatewayError('permission_denied', `${param}: only administrators make keys for ${whom}. Leave it out for a key of your own.`, {
    param,
  });

/** Throws `permission_denied` for other owners than the caller, `not_found` for an unknown person or service account. */
export async function keyOwner(
  principal: Principal,
  wanted: WantedOwner,
  { config, people }: { readonly config: ConfigService; readonly people: PeopleReader },
): Promise<KeyOwner> {
  const { tenant, issuer, subject } = principal;
  if (wanted.for !== undefined && wanted.service !== undefined)
    throw new GatewayError('invalid_request', 'service: give either for or service; a key has one owner.', { param: 'service' });
  if (wanted.service !== undefined) {
    const row = config.row(tenant, 'service', wanted.service);
    const team = row === undefined ? null : teamOfAccount(row, (kind, name) => config.row(tenant, kind, name));
    if (!decideAccount(principal, 'give-keys', team).allowed)
      throw onlyAdministrators('service', 'service accounts, and administrators of a team for those of the team');
    if (row === undefined)
      throw new GatewayError('not_found', `service: there is no service account "${wanted.service}". Create it at /api/service-accounts.`, {
        param: 'service',
      });
    return { issuer: serviceAccountIssuer, subject: row.name, service_id: row.id };
  }
  if (wanted.for === undefined) return { issuer, subject };
  const whom = config.people.resolve(wanted.for, 'for');
  if (isPerson(principal, whom)) return { issuer, subject };
  if (!isAdministrator(principal)) throw onlyAdministrators('for', 'other people');
  const person = splitPerson(whom);
  const [seen] = await people.named(tenant, [person]);
  if (seen === undefined)
    throw new GatewayError(
      'not_found',
      `for: no token of "${wanted.for}" has been seen here. GET /api/people lists the known people; a service account is named by service.`,
      { param: 'for' },
    );
  return { issuer: person.issuer, subject: person.subject };
}

/** The permissions of a new key: never more than the maker has. Throws `permission_denied` when none is left, or when a key for others asks for more. */
export function givenPermissions(
  own: ReadonlySet<PermissionCode>,
  asked: readonly (typeof keyPermissions)[number][] | undefined,
  isForOthers: boolean,
): KeySpec['permissions'] {
  const beyond = asked?.find((code) => !own.has(code));
  if (isForOthers && beyond !== undefined)
    throw new GatewayError('permission_denied', `permissions: you do not have ${beyond}, so you cannot give it.`, { param: 'permissions' });
  const given = (asked ?? keyPermissions).filter((code) => own.has(code));
  if (given.length === 0)
    throw new GatewayError('permission_denied', 'You have none of these permissions, so the key would allow nothing.', {
      param: 'permissions',
    });
  return given;
}
