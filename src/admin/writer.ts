/** Makes the writer of the configuration for a request, in one place. */
import type { FastifyRequest } from 'fastify';
import { principalOf } from '../api/request-context.ts';
import { decideWrite } from '../auth/decide-write.ts';
import type { Writer } from '../types/writes.ts';
import { actorOf } from './actor.ts';

export function writerOf(request: FastifyRequest): Writer {
  const { writes = 'none' } = request.routeOptions.config;
  const principal = principalOf(request);
  return {
    actor: actorOf(request),
    kinds: writes === 'none' ? [] : writes,
    decide: (write, grants) => decideWrite(principal, write, grants, Date.now()),
  };
}
