/** Refuses unknown names in the query of Pailou's own API: a mistyped filter would return every row. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { didYouMean } from '../text/did-you-mean.ts';
import { GatewayError } from '../types/errors.ts';

/** The names that a route takes; null when it takes any. */
function namesOf(schema: unknown): readonly string[] | null {
  if (schema === undefined) return [];
  if (!(schema instanceof z.ZodObject)) return null;
  const { shape, catchall } = schema.def;
  // A loose object: another service writes the query, such as the answer of a sign-in.
  return catchall instanceof z.ZodUnknown ? null : Object.keys(shape);
}

/** Addresses whose query no client of another API writes. */
const ownAddress = /^\/api\/|^\/v1\/skills(?:\/|$)/;

export function addQueryNames(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!ownAddress.test(route.url)) return;
    const names = namesOf(route.schema?.querystring);
    if (names === null) return;
    const known = new Set(names);
    const hasBody = [route.method].flat().some((method) => method === 'POST' || method === 'PUT' || method === 'PATCH');
    const none = hasBody ? 'This address takes no query; put it into the body.' : 'This address takes no query.';
    const takes = names.length === 0 ? none : `It takes ${names.join(', ')}.`;
    route.preValidation = [
      route.preValidation ?? [],
      async (request: FastifyRequest) => {
        for (const name of Object.keys(request.query as object)) {
          if (known.has(name)) continue;
          throw new GatewayError('invalid_request', `${name}: is not a query name here.${didYouMean(name, names)} ${takes}`, {
            param: name,
          });
        }
      },
    ].flat();
  });
}
