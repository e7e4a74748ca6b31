/** Streams do not outlive the rights with which they began: while they are open, those are looked at again and again. */
import type { FastifyReply, FastifyRequest } from 'fastify';
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

export interface ActiveRequest {
  readonly request: Pick<FastifyRequest, 'headers' | 'id' | 'principal'> & {
    readonly socket: { readonly remoteAddress?: string | undefined };
  };
  readonly needs: RequiredPermissions;
  /** Ends the call; its caller is told why. */
  end(why: GatewayError): void;
}

export interface ActiveRequests {
  /** Looks after the call of this request until its connection is done with it. Only for what takes long: what is held here, the collector of garbage has to carry about. */
  watch(request: FastifyRequest, reply: FastifyReply): void;
  /** Looks after a call that has no connection any more, until the returned function is called. */
  hold(call: ActiveRequest): () => void;
  /** The grants of today, for a call that began under those of yesterday. */
  grantsOf(tenant: string): TenantView['grants'];
  /** Looks at all of them once. */
  recheck(): Promise<void>;
  /** Somebody was kept out: looks at all that is open, and at what is on its way to be. */
  revoked(): void;
  close(): void;
}

/** Codes that say that the right is gone. */
const gone: ReadonlySet<string> = new Set(['token_invalid', 'token_missing', 'permission_denied']);
/** Codes that say nothing about the right: a token ran out in the meantime, or nobody can be asked now. */
const untold: ReadonlySet<string> = new Set(['token_expired', 'auth_unavailable']);

export interface ActiveRequestsOptions {
  readonly credentials: Credentials;
  readonly config: Pick<ConfigService, 'current'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly logger: Logger;
  readonly everyMs: number;
}

/** From the arrival of a call to its first word it may take so long. */
const longestBeginningMs = 3_600_000;

/** Owns a timer that does not keep the process alive. */
export function createActiveRequests({ credentials, config, audit, logger, everyMs }: ActiveRequestsOptions): ActiveRequests {
  /** Each with its caller as they were last known. */
  const open = new Map<ActiveRequest, Principal | null>();

  const stillMay = (principal: Principal, needs: RequiredPermissions): void => {
    const { grants, skills } = config.current().tenant(principal.tenant);
    for (const [action, capability, acting] of needs) {
      // A skill that runs as itself does so for as long as it is allowed to, and its publisher may use what it names.
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

  /** Who calls, by the credential as it counts now; by what was last known of them where it tells nothing any more. */
  const callerNow = async (call: ActiveRequest): Promise<Principal> => {
    const { headers, socket } = call.request;
    try {
      // What a change needs was there when the call came.
      const arrival = { snapshot: config.current(), address: socket.remoteAddress ?? '', method: 'GET' };
      const principal = await credentials.admit(headers, arrival);
      if (open.has(call)) open.set(call, principal);
      return principal;
    } catch (thrown) {
      const known = open.get(call) ?? null;
      const error = toGatewayError(thrown);
      if (error.details === sessionEnded) throw new GatewayError('token_invalid', error.message, { cause: thrown });
      if (known === null || !untold.has(error.code)) throw thrown;
      // A token that ran out meanwhile says nothing of its person.
      credentials.requireUnblocked(known);
      // A short token that stood for a key may be over, and the key be taken away or run out later.
      if (known.key === undefined) return known;
      const key = config.current().key(known.key);
      if (key !== undefined && key.expiresAt > Date.now()) return known;
      throw new GatewayError('token_invalid', 'The key with which this began was revoked, or has expired.', { cause: thrown });
    }
  };

  const look = async (call: ActiveRequest): Promise<void> => {
    const { id: requestId, principal } = call.request;
    try {
      stillMay(await callerNow(call), call.needs);
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (!gone.has(error.code) || !open.has(call)) return;
      open.delete(call);
      logger.info({ code: error.code }, 'an open call was ended: its right is gone');
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
    await Promise.all([...open.keys()].map(look));
  };
  let revokedAt = -Infinity;
  /** A call that came before somebody was kept out, and begins to be looked after only now, is looked at once. */
  const enter = (call: ActiveRequest): void => {
    open.set(call, call.request.principal);
    if (Date.now() - revokedAt < longestBeginningMs) look(call).catch(() => {});
  };
  // Never rejects: `look` tells the call, and there is nobody else to tell.
  const timer = setInterval(() => void recheck(), everyMs).unref();

  return {
    watch({ activeRequest: call }, { raw }) {
      if (call === null || raw.closed) return;
      enter(call);
      raw.on('close', () => open.delete(call));
    },
    hold(call) {
      enter(call);
      return () => void open.delete(call);
    },
    grantsOf: (tenant) => config.current().tenant(tenant).grants,
    recheck,
    revoked() {
      revokedAt = Date.now();
      recheck().catch(() => {});
    },
    close: () => clearInterval(timer),
  };
}
