/** Blocked people and sign-outs on every node; on both databases. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRevocations } from '../../src/storage/revocations.ts';
import { databaseKinds, eventually, migrated } from './databases.ts';

describe.each(databaseKinds)('sign-outs on $name', (kind) => {
  it.skipIf(kind.missing)('reach every node, even when an older one is deleted at the same time', async () => {
    const { place, database } = await migrated(kind);
    await using _place = place;
    const signOut = (jti: string, keepUntil: number) => ({ issuer: 'https://auth.example', subject: 'ming', sid: null, jti, keepUntil });
    const row = (jti: string, at: number) => ({ issuer: 'https://partner.example', jti, expires_at: at });
    await database.query
      .insertInto('llm_sign_out')
      .values([row('expired', Date.now() - 1), row('of a long lifetime', Date.now() + 600_000)])
      .execute();
    const open = async (name: string) =>
      createRevocations({ database: await place.open(), path: join(place.dataDir, name), logger: place.logger, pollMs: 20 });
    await using one = await open('one.json');
    await using other = await open('other.json');
    const heard = new Set<string>();
    one.onChange(() => heard.add('one'));
    other.onChange(() => heard.add('other'));
    expect(await one.signOut(signOut('new', Date.now() + 120_000))).toBe(true);
    await eventually(() => heard.size === 2);
    expect(await other.signOut(signOut('new', Date.now() + 120_000)), 'a logout token is accepted once').toBe(false);
  });
});
