/** Authentication refuses every randomly changed token and key, each with an error code. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { createCredentials } from '../../src/auth/credentials.ts';
import { createApiKeyAuthenticator } from '../../src/auth/api-key-authenticator.ts';
import { createKeyExchange } from '../../src/auth/api-key-exchange.ts';
import { makeKey as makeApiKey } from '../../src/auth/api-key-format.ts';
import { createPeople } from '../../src/storage/people.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { KeyEntry, Snapshot } from '../../src/types/snapshot.ts';
import { databaseKinds, memoryLogger, migrated } from '../storage/databases.ts';
import { randomFrom, inParallel, mutateToken, seed } from '../whole/fuzz-mutations.ts';
import { makeKey, settingsFor, startOauthService } from './oauth-service.ts';

describe(`authentication (seed ${seed})`, () => {
  it('refuses 100,000 changed tokens and keys, each with an error code', async () => {
    const fromSeed = randomFrom(seed);
    const signers = await Promise.all(['ES256', 'RS256', 'EdDSA'].map((alg) => makeKey(alg, alg)));
    await using service = await startOauthService(signers);
    const sqlite = databaseKinds.find(({ missing }) => !missing);
    if (sqlite === undefined) throw new Error('no database');
    const { place, database } = await migrated(sqlite);
    await using _place = place;
    const logger = memoryLogger();
    await using people = createPeople({ database, logger });
    const authenticator = createAuthenticator({
      issuers: [settingsFor(service.issuer)],
      logger,
      onVerified: (principal) => people.saw(principal),
    });
    const { id, text, hash } = makeApiKey();
    const expiresAt = Date.now() + 600_000;
    const entry: KeyEntry = {
      id,
      tenant: 'default',
      expiresAt,
      spec: {
        title: '',
        issuer: service.issuer,
        subject: 'ulla',
        hash,
        permissions: ['llm:model:use'],
        capabilities: null,
        addresses: null,
        expires_at: new Date(expiresAt).toISOString(),
        replaced_by: null,
      },
    };
    const snapshot = { key: (asked: string) => (asked === id ? entry : undefined) } as unknown as Snapshot;
    const apiKeys = createApiKeyAuthenticator({ people, ownerMs: 3_600_000, onUse() {} });
    const credentials = createCredentials({
      authenticator,
      apiKeys,
      exchange: null,
      browser: null,
      isBlocked: () => false,
      tokenHeader: null,
    });
    const exchange = createKeyExchange({ apiKeys, keys: { current: { id: 'x', key: randomBytes(32) } } });
    const exchanging = createCredentials({
      authenticator,
      apiKeys: null,
      exchange,
      browser: null,
      isBlocked: () => false,
      tokenHeader: null,
    });
    const enter = async (headers: Record<string, string>, by = credentials): Promise<string> => {
      try {
        await by.admit(headers, { snapshot, address: '127.0.0.1', method: 'GET' });
        return 'let in';
      } catch (thrown) {
        return thrown instanceof GatewayError ? thrown.code : `thrown: ${String(thrown)}`;
      }
    };

    const tokens = await Promise.all(
      signers.flatMap((signer) => [service.sign(signer), service.sign(signer, { sub: 'otto', roles: ['admin'] })]),
    );
    for (const each of [...tokens, text]) expect(await enter({ authorization: `Bearer ${each}` })).toBe('let in');
    const { token: short } = await exchange.exchange(text, snapshot, '127.0.0.1');
    expect(await enter({ authorization: `Bearer ${short}` }, exchanging)).toBe('let in');
    const good = [...tokens, text, short];
    const unlike = new Set(good);
    const seen = new Map<string, number>();
    const wrong: string[] = [];
    await inParallel(100_000, 64, async () => {
      const origin = fromSeed.of(good);
      let changed = origin;
      while (unlike.has(changed)) changed = mutateToken(fromSeed, origin, tokens);
      const header = fromSeed.of(['authorization', 'authorization', 'x-api-key']);
      const code = await enter(
        { [header]: header === 'authorization' ? `Bearer ${changed}` : changed },
        origin === short ? exchanging : credentials,
      );
      seen.set(code, (seen.get(code) ?? 0) + 1);
      // An unpublished key id may be new, so the issuer's keys are fetched for it once in 30 seconds.
      const mayBeNew = code === 'auth_unavailable';
      if (code !== 'token_invalid' && !mayBeNew && !(code === 'token_missing' && changed === '')) wrong.push(`${code}: ${changed}`);
    });
    authenticator.close();
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(seen.get('token_invalid')).toBeGreaterThan(95_000);
    expect(logger.lines.filter((line) => line.level === 'error')).toEqual([]);
  }, 240_000);
});
