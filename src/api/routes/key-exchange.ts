/** POST /auth/exchange: exchanges an API key for a short token. */
import type { FastifyInstance } from 'fastify';
import type { KeyExchange } from '../../auth/api-key-exchange.ts';
import { bearerTokenOf } from '../../auth/token-checks.ts';
import { GatewayError } from '../../types/errors.ts';
import { snapshotOf } from '../request-context.ts';

/** `exchange` is null when keys are not exchanged. */
export function addKeyExchange(app: FastifyInstance, exchange: KeyExchange | null): void {
  app.post(
    '/auth/exchange',
    {
      config: { access: 'public', writes: 'none' },
      schema: { tags: ['access'], summary: 'Exchange a key, sent as Authorization: Bearer or x-api-key, for a token of five minutes' },
    },
    async (request, reply) => {
      if (exchange === null)
        throw new GatewayError(
          'not_found',
          'This gateway does not exchange keys. If it accepts keys (PAILOU_API_KEYS), send yours directly.',
        );
      const { token, expiresInSeconds } = await exchange.exchange(
        bearerTokenOf(request.headers),
        snapshotOf(request),
        request.socket.remoteAddress ?? '',
      );
      reply.header('cache-control', 'no-store');
      return { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds };
    },
  );
}
