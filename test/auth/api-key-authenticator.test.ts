/** The permissions of an API key: the last known ones of its owner. */
import { describe, expect, it } from 'vitest';
import { createApiKeyAuthenticator } from '../../src/auth/api-key-authenticator.ts';
import { makeKey } from '../../src/auth/api-key-format.ts';
import { createPeople, type People } from '../../src/storage/people.ts';
import { permissionCodes, type Principal } from '../../src/types/access.ts';
import type { KeySpec } from '../../src/types/resources.ts';
import type { KeyEntry, Snapshot } from '../../src/types/snapshot.ts';
import { databaseKinds, memoryLogger, migrated } from '../storage/databases.ts';
import { eventually } from '../whole/gateway.ts';

const ulla: Principal = {
  subject: 'ulla',
  username: 'Ulla',
  tenant: 'default',
  roles: ['developer'],
  permissions: new Set(permissionCodes),
  client: null,
  issuer: 'https://auth.example',
  credential: 'token',
  expiresAt: Date.now() + 600_000,
};

function keyOf(spec: Partial<KeySpec> = {}) {
  const { id, text, hash } = makeKey();
  const entry: KeyEntry = {
    id,
    tenant: 'default',
    expiresAt: Date.now() + 60_000,
    spec: {
      title: '',
      issuer: ulla.issuer,
      subject: ulla.subject,
      hash,
      permissions: ['llm:model:use', 'llm:model:view'],
      capabilities: null,
      addresses: null,
      expires_at: new Date(Date.now() + 60_000).toISOString(),
      replaced_by: null,
      ...spec,
    },
  };
  const snapshot = { key: (asked: string) => (asked === id ? entry : undefined) } as unknown as Snapshot;
  return { text, snapshot };
}

const authenticatorFor = (people: People, ownerMs = 3_600_000) => {
  const uses: string[] = [];
  return { uses, apiKeys: createApiKeyAuthenticator({ people, ownerMs, onUse: (id) => uses.push(id) }) };
};

describe.each(databaseKinds)('a key on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('has its share of the owner’s permissions, and loses what the owner loses, on other nodes too', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const logger = memoryLogger();
    await using here = createPeople({ database, logger });
    await using there = createPeople({ database: await place.open(), logger });
    const { text, snapshot } = keyOf();
    here.saw(ulla);
    const { apiKeys, uses } = authenticatorFor(here);
    const principal = await apiKeys.authenticate(text, snapshot, '127.0.0.1');
    expect(principal).toMatchObject({ subject: 'ulla', roles: ['developer'], credential: 'key' });
    expect([...principal.permissions]).toEqual(['llm:model:use', 'llm:model:view']);
    expect(apiKeys.authenticate(text, snapshot, '127.0.0.1'), 'worked out once').toBe(principal);
    expect(uses).toHaveLength(2);

    const far = authenticatorFor(there).apiKeys;
    await eventually(
      async () => {
        try {
          return await far.authenticate(text, snapshot, '::1');
        } catch {
          return null;
        }
      },
      (found) => found?.subject === 'ulla',
      10_000,
    );
    // A newer token of the owner has fewer permissions; from then on the key has no more than those.
    here.saw({ ...ulla, roles: ['viewer'], permissions: new Set(['llm:model:view']) });
    const less = apiKeys.authenticate(text, snapshot, '127.0.0.1') as Principal;
    expect(less.roles).toEqual(['viewer']);
    expect([...less.permissions]).toEqual(['llm:model:view']);
  });

  it.skipIf(missing)('is refused when its owner is unknown, has not been seen for too long, or moved to another tenant', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using people = createPeople({ database, logger: memoryLogger() });
    const { text, snapshot } = keyOf();
    await expect(authenticatorFor(people).apiKeys.authenticate(text, snapshot, '127.0.0.1')).rejects.toMatchObject({
      code: 'token_invalid',
    });
    people.saw(ulla);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(() => authenticatorFor(people, 10).apiKeys.authenticate(text, snapshot, '127.0.0.1')).toThrow(/is too old to know/);
    people.saw({ ...ulla, tenant: 'other' });
    expect(() => authenticatorFor(people).apiKeys.authenticate(text, snapshot, '127.0.0.1')).toThrow(/is no longer known/);
  });
});

it('a key whose owner cannot be looked up gets 503, not 401', async () => {
  const [sqlite] = databaseKinds;
  if (sqlite === undefined) throw new Error('no SQLite');
  const { place, database } = await migrated(sqlite);
  await using _place = place;
  const people = createPeople({ database, logger: memoryLogger() });
  await database.query.schema.dropTable('llm_person').execute();
  const { text, snapshot } = keyOf();
  await expect(authenticatorFor(people).apiKeys.authenticate(text, snapshot, '127.0.0.1')).rejects.toMatchObject({
    code: 'auth_unavailable',
    status: 503,
  });
});
