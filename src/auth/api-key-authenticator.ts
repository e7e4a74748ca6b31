/** Authenticates API keys. The principal is the owner of the key: a person or a service account. It has those of the owner's current rights that the key also has. */
import { LRUCache } from 'lru-cache';
import { BlockList, isIP } from 'node:net';
import { entryLimit } from '../types/entry-limit.ts';
import type { People, Person } from '../storage/people.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';
import type { KeySpec } from '../types/resources.ts';
import type { KeyEntry, Snapshot } from '../types/snapshot.ts';
import { readKey, sameHash } from './api-key-format.ts';
import { findServiceAccount } from './service-accounts.ts';
import { invalid } from './token-checks.ts';

export interface ApiKeyAuthenticator {
  /** Throws or rejects with token_invalid, token_expired, permission_denied or auth_unavailable. `address` is the address of the connection. */
  authenticate(text: string, snapshot: Snapshot, address: string): Principal | Promise<Principal>;
  /** As `authenticate`, for a key that was verified before. It may have been revoked since. */
  authenticateById(id: string, snapshot: Snapshot, address: string): Principal | Promise<Principal>;
}

export interface ApiKeyAuthenticatorOptions {
  readonly people: Pick<People, 'find'>;
  /** A key is refused when no token of its owner was seen for this time. */
  readonly ownerMs: number;
  /** Called for each use. */
  readonly onUse: (id: string, at: number) => void;
}

/** The result for one key. Valid until its entry or its owner changes. */
interface Known {
  readonly entry: KeyEntry;
  readonly person: Person;
  readonly principal: Principal;
}

const unknownKey = 'There is no such key, or it was revoked. Create a new one at /api/keys.';

/** The compiled ranges of each key: a snapshot keeps the array of an unchanged key. */
const addressLists = new WeakMap<readonly string[], BlockList>();

function addressListOf(addresses: readonly string[]): BlockList {
  const known = addressLists.get(addresses);
  if (known !== undefined) return known;
  const list = new BlockList();
  for (const range of addresses) {
    const [network = '', length] = range.split('/');
    list.addSubnet(network, Number(length), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  addressLists.set(addresses, list);
  return list;
}

function mayComeFrom(addresses: KeySpec['addresses'], address: string): boolean {
  if (addresses === null) return true;
  const bare = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
  return isIP(bare) !== 0 && addressListOf(addresses).check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4');
}

function principalOf({ id, spec, tenant, expiresAt }: KeyEntry, person: Person): Principal {
  return Object.freeze({
    subject: person.subject,
    username: person.username,
    tenant,
    roles: Object.freeze([...person.roles]),
    permissions: new Set(spec.permissions.filter((code) => person.permissions.has(code))),
    client: null,
    issuer: person.issuer,
    ...(person.isService ? { isService: true } : {}),
    ...(person.team === undefined ? {} : { team: person.team }),
    credential: 'key' as const,
    key: id,
    ...(spec.surface === undefined ? {} : { surface: spec.surface }),
    ...(spec.capabilities === null ? {} : { within: spec.capabilities }),
    expiresAt,
  });
}

export function createApiKeyAuthenticator({ people, ownerMs, onUse }: ApiKeyAuthenticatorOptions): ApiKeyAuthenticator {
  const known = new LRUCache<string, Known>(entryLimit(20_000));

  const admit = (entry: KeyEntry, person: Person | null, now: number): Principal => {
    if (person === null || person.tenant !== entry.tenant)
      throw invalid('The owner of this key is no longer known. The owner must call once with a token of the OAuth2 service.');
    if (now - person.seenAt > ownerMs)
      throw invalid(
        "The last token of this key's owner is too old to know the owner's rights. The owner must call once with a token of the OAuth2 service.",
      );
    let found = known.get(entry.id);
    if (found === undefined || found.entry !== entry || found.person !== person) {
      found = { entry, person, principal: principalOf(entry, person) };
      known.set(entry.id, found);
    }
    onUse(entry.id, now);
    return found.principal;
  };

  const authenticateEntry = (entry: KeyEntry | undefined, snapshot: Snapshot, address: string): Principal | Promise<Principal> => {
    if (entry === undefined) throw invalid(unknownKey);
    const now = Date.now();
    if (entry.expiresAt <= now) throw new GatewayError('token_expired', 'The key has expired. Create a new one at /api/keys.');
    if (!mayComeFrom(entry.spec.addresses, address))
      throw new GatewayError('permission_denied', 'This key may not be used from your address. Its owner can change its networks.');
    if (entry.spec.issuer === serviceAccountIssuer) {
      const account = findServiceAccount(snapshot, entry.tenant, entry.spec);
      if (account === null) throw invalid('The service account of this key, or its team, was deleted or disabled. Ask your administrator.');
      return admit(entry, account, now);
    }
    const person = people.find(entry.spec.issuer, entry.spec.subject);
    if (person instanceof Promise) return person.then((found) => admit(entry, found, now));
    return admit(entry, person, now);
  };

  return {
    authenticate(text, snapshot, address) {
      const given = readKey(text);
      const entry = given === null ? undefined : snapshot.key(given.id);
      const proven = given !== null && entry !== undefined && sameHash(given.hash, entry.spec.hash) ? entry : undefined;
      return authenticateEntry(proven, snapshot, address);
    },
    authenticateById: (id, snapshot, address) => authenticateEntry(snapshot.key(id), snapshot, address),
  };
}
