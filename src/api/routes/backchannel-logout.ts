/** POST /auth/backchannel-logout: an issuer reports that a person has signed out. OpenID Connect Back-Channel Logout 1.0. */
import type { FastifyInstance } from 'fastify';
import type { LogoutToken } from '../../auth/logout-token.ts';
import type { Revocations } from '../../storage/revocations.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';

const longestBody = 40_000;

export interface BackchannelLogoutParts {
  /** Rejects an invalid token. */
  readonly verify: (token: string) => Promise<LogoutToken>;
  readonly revocations: Pick<Revocations, 'signOut'>;
  readonly logger: Logger;
}

/** The logout token authenticates the request; the caller needs no other credential. */
export function addBackchannelLogout(app: FastifyInstance, { verify, revocations, logger }: BackchannelLogoutParts): void {
  void app.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: longestBody }, (_request, text, done) =>
      done(null, { logout_token: new URLSearchParams(text.toString()).getAll('logout_token') }),
    );
    scope.post<{ Body: { readonly logout_token?: unknown } | null }>(
      '/auth/backchannel-logout',
      {
        config: { access: 'public', writes: 'none' },
        bodyLimit: longestBody,
        schema: {
          tags: ['access'],
          summary: 'For OAuth2 services: ends the browser sessions of a person who signed out there',
          description:
            'A form with `logout_token`, as in OpenID Connect Back-Channel Logout 1.0. 200 when the sessions have ended, 400 for an invalid token.',
        },
      },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const given = [request.body?.logout_token ?? []].flat();
        const token: unknown = given[0];
        if (given.length !== 1 || typeof token !== 'string' || token === '')
          return reply.code(400).send({ error: 'invalid_request', error_description: 'Send one logout_token as a form.' });
        try {
          const { issuer, subject, sid, jti, expiresAt } = await verify(token);
          if (!(await revocations.signOut({ issuer, subject, sid, jti, keepUntil: expiresAt })))
            return await reply.code(400).send({ error: 'invalid_request', error_description: 'The logout token was used before.' });
          logger.info({ issuer, sid }, 'an issuer reported a sign-out; the browser sessions of that person have ended');
          return await reply.code(200).send();
        } catch (thrown) {
          const error = thrown instanceof GatewayError ? thrown : toGatewayError(thrown);
          if (error.status >= 500) throw error;
          logger.info({ err: thrown }, 'a logout token was refused');
          return reply.code(400).send({ error: 'invalid_request', error_description: error.message });
        }
      },
    );
  });
}
