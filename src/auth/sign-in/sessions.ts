/** Browser sessions: a random cookie that refers to stored tokens, which are renewed as long as the service allows it. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeJwt } from 'jose';
import { LRUCache } from 'lru-cache';
import { entryLimit } from '../../types/entry-limit.ts';
import type { MasterKey } from '../../storage/secret-box.ts';
import type { SessionStore, StoredSession, TokenSet } from '../../storage/session-store.ts';
import type { Principal } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Authenticator } from '../authenticator.ts';
import type { SignIn } from './sign-in.ts';
import { monotonicNow } from '../../scheduling/monotonic-clock.ts';

export interface Sessions {
  /** Creates a session for the tokens and returns the cookie's value. Rejects as token verification does. */
  begin(tokens: TokenSet): Promise<{ readonly cookie: string; readonly principal: Principal }>;
  /** Rejects with token_expired for an ended session, or auth_unavailable. */
  authenticate(cookie: string): Promise<Principal>;
  /** The token that a page must send with each change, in a header that other sites cannot set. */
  csrfToken(cookie: string): string;
  /** True if `sent` is the CSRF token of the session. */
  sameCsrf(cookie: string, sent: unknown): boolean;
  /** Clears the session cache after sessions were ended on another node. */
  forgetAll(): void;
  /** Ends the session on every node. Returns the service's logout URL, or null. */
  end(cookie: string): Promise<string | null>;
}

export interface SessionOptions {
  readonly store: SessionStore;
  readonly signIn: SignIn;
  readonly authenticator: Pick<Authenticator, 'verify'>;
  readonly csrfKey: MasterKey;
}

/** A working day; then people sign in again. */
const longestMs = 12 * 3_600_000;
/** Sessions ended on another node are noticed within this time. */
const rememberMs = 5_000;
/** A token is renewed this long before it expires. */
const earlyMs = 30_000;
const renewalMs = 10_000;

const over = (): GatewayError => new GatewayError('token_expired', 'Your session has ended. Sign in again at /auth/login.');
/** The detail of errors for sessions that were deleted. Requests of such a session end too. */
export const sessionEnded = 'the session was ended';
const ended = (): GatewayError =>
  new GatewayError('token_expired', 'Your session has ended. Sign in again at /auth/login.', { details: sessionEnded });
/** `sid` of the id token, which came directly from the service. */
function sidOf({ id }: TokenSet): string | null {
  if (id === null) return null;
  const { sid } = decodeJwt(id);
  return typeof sid === 'string' && sid !== '' && sid.length <= 256 ? sid : null;
}
const idOf = (cookie: string): string => createHash('sha256').update(cookie).digest('base64url');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function createSessions({ store, signIn, authenticator, csrfKey }: SessionOptions): Sessions {
  const known = new LRUCache<string, StoredSession>({ ...entryLimit(10_000), ttl: rememberMs });
  const renewing = new Map<string, Promise<StoredSession>>();

  const find = async (id: string): Promise<StoredSession> => {
    const now = Date.now();
    const cached = known.get(id);
    if (cached !== undefined && cached.expiresAt > now) return cached;
    const found = await store.find(id, now);
    if (found === null) throw ended();
    known.set(id, found);
    return found;
  };

  const renewNow = async (id: string, session: StoredSession): Promise<StoredSession> => {
    const until = Date.now() + renewalMs;
    if (!(await store.claim(id, session.version, Date.now(), until))) {
      // Another request or node renews it. Refresh tokens are valid once, so two renewals would end the session.
      const patience = monotonicNow() + renewalMs;
      while (monotonicNow() < patience) {
        const found = await store.find(id, Date.now());
        if (found === null) throw over();
        if (found.version !== session.version) return found;
        await pause(100);
      }
      throw new GatewayError('auth_unavailable', 'Your session is being renewed. Try again soon.', { retryAfterSeconds: 1 });
    }
    const tokens = await signIn.renew(session.tokens);
    if (tokens === null) {
      await store.end(id);
      throw over();
    }
    await store.renew(id, tokens, session.version);
    return { ...session, tokens, version: session.version + 1 };
  };

  const renew = (id: string, session: StoredSession): Promise<StoredSession> => {
    let pending = renewing.get(id);
    if (pending === undefined) {
      pending = renewNow(id, session)
        .then((renewed) => {
          known.set(id, renewed);
          return renewed;
        })
        .finally(() => {
          renewing.delete(id);
        });
      known.delete(id);
      renewing.set(id, pending);
    }
    return pending;
  };

  const principalOf = async (session: StoredSession): Promise<Principal> => {
    const principal = await authenticator.verify(session.tokens.access);
    if (principal.subject !== session.subject || principal.issuer !== session.issuer) throw over();
    return Object.freeze({ ...principal, credential: 'session' as const });
  };

  const csrfToken = (cookie: string): string => createHmac('sha256', csrfKey.key).update(idOf(cookie)).digest('base64url');

  return {
    async begin(tokens) {
      const principal = await authenticator.verify(tokens.access);
      const cookie = randomBytes(32).toString('base64url');
      const now = Date.now();
      await store.create(
        idOf(cookie),
        { issuer: principal.issuer, subject: principal.subject, tokens, sid: sidOf(tokens), expiresAt: now + longestMs },
        now,
      );
      return { cookie, principal };
    },

    async authenticate(cookie) {
      const id = idOf(cookie);
      let session = await find(id);
      try {
        const principal = await principalOf(session);
        if (principal.expiresAt - Date.now() > earlyMs || session.tokens.refresh === null) return principal;
      } catch (thrown) {
        if (!(thrown instanceof GatewayError) || thrown.status !== 401) throw thrown;
        if (session.tokens.refresh === null) throw over();
      }
      session = await renew(id, session);
      return principalOf(session);
    },

    csrfToken,

    forgetAll: () => known.clear(),

    sameCsrf(cookie, sent) {
      const expected = Buffer.from(csrfToken(cookie));
      const given = Buffer.from(typeof sent === 'string' ? sent : '');
      return given.length === expected.length && timingSafeEqual(given, expected);
    },

    async end(cookie) {
      const id = idOf(cookie);
      const session = await store.find(id, Date.now());
      known.delete(id);
      await store.end(id);
      return session === null ? null : signIn.leave(session.tokens);
    },
  };
}
