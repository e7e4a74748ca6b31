/** GET /api/runs/stream: the runs of the list as server-sent events, while they are written, on every node. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { writeStream } from '../api/answers/stream-writer.ts';
import { principalOf } from '../api/request-context.ts';
import { createRequiredPermissions } from '../application/required-permissions.ts';
import { isAdministrator } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import { runEvent } from '../models/client-formats/skill-run.ts';
import type { RunFeed } from '../storage/run-feed.ts';
import { matchesRun, type RunOwner } from '../storage/run-filter.ts';
import { summaryOf } from '../storage/run-reader.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import { isPerson, personRef } from '../types/person.ts';
import { type TailEvent, RunTail } from './run-tail.ts';
import { stillSeesTeam } from './team-access.ts';
import { filterOf, ownerOf, type RunFilters, runFilters, teamRunsOf } from './runs.ts';

/** Streams of one person, and of all people, on this node. */
const mostOfPerson = 8;
const mostOfNode = 500;
/** After this time, or with its token, a stream ends without an error. Its client opens the next one, with the rights of then. */
const longestMs = 3_600_000;

interface OpenStreams {
  /** Throws `rate_limited` when there are too many. The function is called when the stream is closed. */
  enter(principal: Principal): () => void;
}

function createOpenStreams(): OpenStreams {
  const ofPerson = new Map<string, number>();
  let all = 0;
  return {
    enter(principal) {
      const person = JSON.stringify([principal.tenant, principal.issuer, principal.subject]);
      const own = ofPerson.get(person) ?? 0;
      if (own >= mostOfPerson || all >= mostOfNode)
        throw new GatewayError(
          'rate_limited',
          own >= mostOfPerson
            ? `You follow runs ${mostOfPerson} times at this node already. Close one of them, or read GET /api/runs.`
            : 'Too many people follow runs at this node. Read GET /api/runs, or try again later.',
          { retryAfterSeconds: 10 },
        );
      ofPerson.set(person, own + 1);
      all++;
      return () => {
        const left = (ofPerson.get(person) ?? 1) - 1;
        if (left === 0) ofPerson.delete(person);
        else ofPerson.set(person, left);
        all--;
      };
    },
  };
}

/** A client that expects one answer would wait for ever. */
function requireEventStream({ accept = '' }: IncomingHttpHeaders): void {
  if (accept.includes('text/event-stream')) return;
  throw new GatewayError(
    'invalid_request',
    'This address sends server-sent events without an end. Send the header Accept: text/event-stream, or read GET /api/runs.',
    { param: 'Accept' },
  );
}

function textOf(event: TailEvent): string {
  return typeof event === 'string' ? runEvent(event, {}) : runEvent('run', summaryOf(event));
}

function failureText(thrown: unknown): string {
  const { code, message } = toGatewayError(thrown);
  return runEvent('failed', { error: { code, message } });
}

/** The check of the caller while the stream is open. `seesTeam` is true for those who may still see the team that the request names. */
function requiresSight(
  opener: Principal,
  owner: RunOwner | null,
  seesTeam: (principal: Principal) => boolean,
): (principal: Principal) => void {
  return (principal) => {
    const isOwn = owner !== null && isPerson(principal, personRef(owner));
    if (principal.tenant !== opener.tenant || !(isOwn || isAdministrator(principal) || seesTeam(principal)))
      throw new GatewayError('permission_denied', 'You may no longer see these runs. Open the stream again to see your own.');
  };
}

export function addRunStream(app: FastifyInstance, feed: RunFeed, config: Pick<ConfigService, 'people' | 'row'>): void {
  const open = createOpenStreams();
  app.get(
    '/api/runs/stream',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['usage'],
        summary: 'Runs that match all filters, while they end',
        description:
          'Server-sent events, for a request with the header Accept: text/event-stream: `ready` when the stream begins; `run` for each run that ended, on any node, with the members of the list; `missed` when runs were left out, because the reader was too slow or a node was cut off: read the list then; `failed` before an end with an error. A run may come twice. Without `failed` the end means: open it again.',
        querystring: runFilters,
      },
    },
    (request: FastifyRequest<{ Querystring: RunFilters }>, reply) => {
      requireEventStream(request.headers);
      const principal = principalOf(request);
      const team = teamRunsOf(principal, request.query.team, config);
      const owner = ownerOf(principal, request.query.user, config.people, isAdministrator(principal) || team !== undefined);
      const filter = { ...filterOf(request.query), team };
      const tail = new RunTail(feed, (run) => matchesRun(run, principal.tenant, owner, filter));
      const leave = open.enter(principal);
      request.activeRequest = {
        request,
        needs: createRequiredPermissions(),
        requires: requiresSight(principal, owner, (now) => stillSeesTeam(now, config, request.query.team, team)),
        end: (why) => tail.fail(why),
      };
      const over = setTimeout(() => tail.end(), Math.max(0, Math.min(longestMs, principal.expiresAt - Date.now()))).unref();
      reply.raw.on('close', () => {
        clearTimeout(over);
        tail.cancel();
        leave();
      });
      writeStream(reply, tail, { write: (batch) => batch.map(textOf).join(''), fail: failureText });
    },
  );
}
