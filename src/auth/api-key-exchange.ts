/** Exchanges API keys for short-lived tokens, so that a leaked credential expires within minutes. */
import { errors, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { entryLimit } from '../types/entry-limit.ts';
import type { MasterKeys } from '../storage/secret-box.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { Snapshot } from '../types/snapshot.ts';
import type { ApiKeyAuthenticator } from './api-key-authenticator.ts';
import { invalid, refuseNonCanonicalBase64 } from './token-checks.ts';

export interface ShortToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

export interface KeyExchange {
  /** Throws or rejects as ApiKeyAuthenticator does for an invalid key. */
  exchange(key: string, snapshot: Snapshot, address: string): Promise<ShortToken>;
  /** True for a token of this exchange, judged by its header alone. */
  owns(token: string): boolean;
  /** Synchronous when the token is known. Throws as ApiKeyAuthenticator does. Revoking a key also revokes its tokens. */
  authenticate(token: string, snapshot: Snapshot, address: string): Principal | Promise<Principal>;
}

const seconds = 300;
const issuer = 'urn:pailou:keys';
const header = { alg: 'HS256', typ: 'pailou-key+jwt' } as const;
/** The common prefix of these tokens. It identifies them without parsing other tokens. */
const tokenPrefix = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.`;

interface Known {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

const expired = (): GatewayError =>
  new GatewayError('token_expired', 'The token has expired. Exchange your key again: POST /auth/exchange');

/** `keys` are the same on every node. After a rotation, tokens of the old keys stay valid until they expire. */
export function createKeyExchange({ apiKeys, keys }: { readonly apiKeys: ApiKeyAuthenticator; readonly keys: MasterKeys }): KeyExchange {
  const all = [keys.current, ...(keys.old ?? [])];
  const known = new LRUCache<string, Known>(entryLimit(20_000));

  const verify = async (token: string): Promise<Known> => {
    refuseNonCanonicalBase64(token);
    let refused: unknown;
    for (const { key } of all) {
      try {
        const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], issuer, requiredClaims: ['sub', 'exp'] });
        const found: Known = { id: payload.sub ?? '', until: (payload.exp ?? 0) * 1_000 };
        known.set(token, found);
        return found;
      } catch (thrown) {
        if (thrown instanceof errors.JWTExpired) throw expired();
        refused = thrown;
      }
    }
    throw invalid('The token cannot be trusted. Exchange your key again: POST /auth/exchange', refused);
  };

  const admit = ({ id, until }: Known, snapshot: Snapshot, address: string): Principal | Promise<Principal> => {
    if (Date.now() >= until) throw expired();
    return apiKeys.authenticateById(id, snapshot, address);
  };

  return {
    async exchange(text, snapshot, address) {
      const { key: id, surface } = await apiKeys.authenticate(text, snapshot, address);
      if (surface !== undefined) throw invalid('The token of an MCP client cannot be exchanged.');
      if (id === undefined) throw invalid('This is not a key.');
      const token = await new SignJWT()
        .setProtectedHeader(header)
        .setIssuer(issuer)
        .setSubject(id)
        .setIssuedAt()
        .setExpirationTime(`${seconds}s`)
        .sign(keys.current.key);
      return { token, expiresInSeconds: seconds };
    },
    owns: (token) => token.startsWith(tokenPrefix),
    authenticate(token, snapshot, address) {
      const found = known.get(token);
      if (found !== undefined) return admit(found, snapshot, address);
      return verify(token).then((verified) => admit(verified, snapshot, address));
    },
  };
}
