/** Stores the rights in people's tokens on both databases. */
import { describe, expect, it } from 'vitest';
import { createPeople } from '../../src/storage/people.ts';
import { createPeopleReader } from '../../src/storage/people-reader.ts';
import { permissionCodes, type Principal } from '../../src/types/access.ts';
import { databaseKinds, eventually, memoryLogger, migrated } from './databases.ts';

const person = (subject: string): Principal => ({
  subject,
  username: subject,
  tenant: 'acme',
  roles: ['user'],
  permissions: new Set(permissionCodes),
  client: null,
  issuer: 'https://auth.example',
  credential: 'token',
  expiresAt: Infinity,
});

describe.each(databaseKinds)('people on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('are stored, also behind a person whom the database can never take', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using people = createPeople({ database, logger: memoryLogger() });
    for (const subject of ['before', 'nul\u0000', 'behind']) people.saw(person(subject));
    const reader = createPeopleReader(database);
    const stored = async (): Promise<readonly string[]> =>
      (await reader.page({ tenant: 'acme', after: null, limit: 10 })).map(({ subject }) => subject);
    await eventually(async () => (await stored()).includes('behind'), 20_000);
    expect(await stored()).toContain('before');
    // And those of a later batch.
    people.saw(person('later'));
    await eventually(async () => (await stored()).includes('later'), 20_000);
  });
});
