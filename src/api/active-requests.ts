/** Re-checks the permissions of active requests every `everyMs` and ends those that lost one. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { notYetValid } from '../auth/token-checks.ts';
import { sessionEnded } from '../auth/sign-in/sessions.ts';
import type { Credentials } from '../auth/credentials.ts';
import { decide } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import type { TenantView } from '../types/snapshot.ts';
import type { Logger } from '../types/logger.ts';
import { permissionNames, type RequiredPermissions } from '../application/required-permissions.ts';
import { type LiveEntry, LiveList } from '../scheduling/live-list.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface ActiveRequest {
  readonly request: Pick<FastifyRequest, 'headers' | 'id' | 'principal'> & {
    readonly socket: { readonly remoteAddress?: string | undefined };
  };
  readonly needs: RequiredPermissions;
  /** Throws `permission_denied` when the caller, as known now, lacks what the request needs beside `needs`. */
  readonly requires?: (principal: Principal) => void;
  /** Ends the call with this error. */
  end(why: GatewayError): void;
}

/** An active request with the principal of its last check. */
interface Watched {
  readonly call: ActiveRequest;
  principal: Principal | null;
}

export interface ActiveRequests {
  /** Re-checks the request until its connection closes. For long requests only. */
  watch(request: FastifyRequest, reply: FastifyReply): void;
  /** Re-checks a call without a connection until the returned function is called. */
  hold(call: ActiveRequest): () => void;
  /** The current grants, for a call that began with an older snapshot. */
  grantsOf(tenant: string): TenantView['grants'];
  /** Checks all active requests once. */
  recheck(): Promise<void>;
  /** A person was blocked or signed out: checks all active requests now, and those that are about to begin. */
  revoked(): void;
  close(): void;
}

/** Error codes that mean that the permission is gone. */
const lostAccessCodes: ReadonlySet<string> = new Set(['token_invalid', 'token_missing', 'permission_denied']);
/** Error codes that say nothing about the permission: the token expired, or its issuer is away. As little says `notYetValid`: the clock was stepped backwards. */
const inconclusive: ReadonlySet<string> = new Set(['token_expired', 'auth_unavailable']);

export interface ActiveRequestsOptions {
  readonly credentials: Credentials;
  readonly config: Pick<ConfigService, 'current'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly logger: Logger;
  readonly everyMs: number;
}

/** The longest time in milliseconds from the arrival of a call to its first event. */
const longestBeginningMs = 3_600_000;

/** The interval is divided into so many steps, each with a share of the calls. */
const steps = 50;

/** Owns a timer that does not keep the process alive. */
export function createActiveRequests({ credentials, config, audit, logger, everyMs }: ActiveRequestsOptions): ActiveRequests {
  /** Active requests, the one that was checked longest ago first. */
  const open = new LiveList<Watched>();

  const stillMay = (principal: Principal, needs: RequiredPermissions): void => {
    const { grants, skills } = config.current().tenant(principal.tenant);
    for (const [action, capability, acting] of needs) {
      // A skill that runs as itself needs a valid allowance, and its publisher needs the rights.
      const isAllowed = acting === undefined || skills.get(acting.skill)?.runsAs?.digest === acting.digest;
      const who = acting === undefined ? principal : acting.now();
      if (!isAllowed || who === null)
        throw new GatewayError('permission_denied', `The skill "${acting?.skill}" may no longer run with its own list.`);
      const decision = decide(who, action, capability, grants, Date.now());
      if (!decision.allowed)
        throw new GatewayError(
          'permission_denied',
          `You may no longer ${action} ${capability.kind}/${capability.name}: ${decision.reason}`,
        );
    }
  };

  /** The caller by the current state of the credential, or by the last check when the credential says nothing. */
  const callerNow = async (watched: Watched): Promise<Principal> => {
    const { headers, socket } = watched.call.request;
    try {
      // What a change needs was checked when the call arrived.
      const arrival = { snapshot: config.current(), address: socket.remoteAddress ?? '', method: 'GET' };
      const principal = await credentials.admit(headers, arrival);
      watched.principal = principal;
      return principal;
    } catch (thrown) {
      const known = watched.principal;
      const error = toGatewayError(thrown);
      if (error.details === sessionEnded) throw new GatewayError('token_invalid', error.message, { cause: thrown });
      if (known === null || (!inconclusive.has(error.code) && error.details !== notYetValid)) throw thrown;
      // An expired token does not tell whether its person is blocked.
      credentials.requireUnblocked(known);
      // An exchanged token of a key may expire before the key is revoked or expires.
      if (known.key === undefined) return known;
      const key = config.current().key(known.key);
      if (key !== undefined && key.expiresAt > Date.now()) return known;
      throw new GatewayError('token_invalid', 'The key of this call was revoked or has expired.', { cause: thrown });
    }
  };

  const look = async (entry: LiveEntry<Watched>): Promise<void> => {
    const { call } = entry.value;
    const { id: requestId, principal } = call.request;
    try {
      const caller = await callerNow(entry.value);
      call.requires?.(caller);
      stillMay(caller, call.needs);
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (!lostAccessCodes.has(error.code) || !entry.isIn) return;
      open.delete(entry);
      logger.info({ code: error.code }, 'an active request was ended: its permission was lost');
      if (principal !== null) {
        const { tenant } = principal;
        audit.append({
          tenant,
          actor: personRef(principal),
          act: 'ended',
          target: permissionNames(call.needs),
          requestId,
          detail: error.message,
        });
      }
      call.end(error);
    }
  };

  const recheck = async (): Promise<void> => {
    await Promise.all(open.entries().map(look));
  };
  let revokedAt = -Infinity;
  /** A call that arrived before a revocation and is watched only now is checked once. */
  const enter = (call: ActiveRequest): LiveEntry<Watched> => {
    const entry = open.add({ call, principal: call.request.principal });
    if (monotonicNow() - revokedAt < longestBeginningMs) look(entry).catch(() => {});
    return entry;
  };
  /** The calls that are due, as a fraction. */
  let share = 0;
  /** Checks a share of the calls, so that each is checked once in the interval, and never all in one turn of the event loop. */
  const recheckSome = (): void => {
    for (share += open.size / steps; share >= 1; share--) {
      const next = open.first;
      if (next === null) {
        share = 0;
        return;
      }
      open.moveToEnd(next);
      look(next).catch(() => {});
    }
  };
  const timer = setInterval(recheckSome, everyMs / steps).unref();

  return {
    watch({ activeRequest: call }, { raw }) {
      if (call === null || raw.closed) return;
      const entry = enter(call);
      raw.on('close', () => open.delete(entry));
    },
    hold(call) {
      const entry = enter(call);
      return () => open.delete(entry);
    },
    grantsOf: (tenant) => config.current().tenant(tenant).grants,
    recheck,
    revoked() {
      revokedAt = monotonicNow();
      recheck().catch(() => {});
    },
    close: () => clearInterval(timer),
  };
}
