/** GET and DELETE /v1/runs/{id}: a background run of a skill, and the run tree of any run. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { runEvent } from '../../models/client-formats/skill-run.ts';
import { mostOfTree, type RunReader } from '../../storage/run-reader.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { CallServices } from '../../application/services.ts';
import { principalOf, snapshotOf } from '../request-context.ts';
import { writeStream } from '../answers/stream-writer.ts';
import { may } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { type RunNode, runForest, sumOf } from '../../application/background/run-tree.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

const named = z.object({ id: z.string().min(1).max(100) });
const streamQuery = z.object({ stream: z.enum(['true', 'false']).default('false') });

function unknownRun(id: string): GatewayError {
  return new GatewayError('not_found', `You have no run "${id}".`, { param: 'id' });
}

/** The id in the address. Throws `not_found` for one with the character NUL, which PostgreSQL refuses in a statement. */
function idIn({ params: { id } }: { readonly params: z.output<typeof named> }): string {
  if (id.includes('\0')) throw unknownRun(id);
  return id;
}

/** A key reaches only runs that its scope allows. */
function requireReach(request: FastifyRequest, name: string | null, id: string): void {
  const principal = principalOf(request);
  if (principal.credential !== 'key') return;
  const view = snapshotOf(request).tenant(principal.tenant);
  const skill = name === null ? undefined : view.skills.get(name);
  if (skill === undefined || !may({ principal, view }, 'use', skill.capability)) throw unknownRun(id);
}

const skillOf = (run: { readonly skill?: unknown; readonly capability?: unknown } | null): string | null => {
  if (typeof run?.skill === 'string') return run.skill;
  return typeof run?.capability === 'string' && run.capability.startsWith('skill/') ? run.capability.slice('skill/'.length) : null;
};

const statuses = { complete: 'completed', error: 'failed', aborted: 'cancelled' } as const;

/** A run of the ledger: one with a waiting caller, or one that ended long ago. */
function ledgerRunView({ id, capability, outcome, error, output }: RunNode): JsonObject {
  const skill = capability.startsWith('skill/') ? { skill: capability.slice('skill/'.length) } : {};
  return {
    id,
    object: 'skill.run',
    ...skill,
    status: statuses[outcome as keyof typeof statuses],
    output: output ?? null,
    ...(error === null ? {} : { error: { code: error } }),
  };
}

export function addSkillRuns(app: FastifyInstance, { backgroundRuns }: CallServices, runs: RunReader): void {
  const config = { access: ['llm:skill:use'] as const };
  const tags = ['skills'];

  app.get<{ Params: z.output<typeof named>; Querystring: z.output<typeof streamQuery> }>(
    '/v1/runs/:id',
    {
      config,
      schema: {
        tags,
        summary: 'One of your runs: its status, its output, its calls',
        description: 'With stream=true all its events from the start as server-sent events, until it ends.',
        params: named,
        querystring: streamQuery,
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const id = idIn(request);
      if (request.query.stream === 'true') {
        requireReach(request, skillOf(await backgroundRuns.find(principal, id)), id);
        const news = await backgroundRuns.follow(principal, id, abortSignalOf(callerOf(request, reply).signal));
        if (news === null) throw unknownRun(id);
        writeStream(reply, news, {
          write: (batch) => batch.map(({ name, data }) => runEvent(name, data)).join(''),
          // The reason why the event stream ends; the run itself may continue.
          fail(thrown) {
            const { code, message } = toGatewayError(thrown);
            return runEvent('failed', { id, status: 'failed', error: { code, message } });
          },
        });
        return reply;
      }
      const found = await backgroundRuns.find(principal, id);
      const recorded = await runs.tree(principal.tenant, principal, id);
      const forest = runForest(recorded);
      const top = forest.run(id);
      if (found === null && top === null) throw unknownRun(id);
      requireReach(request, skillOf(found ?? top), id);
      return {
        ...(found ?? ledgerRunView(top as RunNode)),
        spent: sumOf(recorded),
        // A run in progress has no record yet; its ended child runs have.
        tree: top ?? { id, calls: forest.callsOf(id) },
        ...(recorded.length < mostOfTree ? {} : { tree_cut: true }),
      };
    },
  );

  app.delete<{ Params: z.output<typeof named> }>(
    '/v1/runs/:id',
    { config, schema: { tags, summary: 'Cancel a background run, on any node', params: named } },
    async (request, reply) => {
      const id = idIn(request);
      const principal = principalOf(request);
      requireReach(request, skillOf(await backgroundRuns.find(principal, id)), id);
      const done = await backgroundRuns.cancel(principal, id);
      if (done === 'cancelling') return reply.code(202).send({ id, object: 'skill.run', status: 'cancelling' });
      const recorded = done === 'unknown' ? await runs.tree(principal.tenant, principal, id) : [];
      if (done === 'unknown' && recorded.length === 0) throw unknownRun(id);
      const hasEnded = done === 'ended' || recorded.some((run) => run.id === id);
      const sentence = hasEnded ? 'has ended already.' : 'has a caller that waits for it. It ends when that connection is closed.';
      throw new GatewayError('invalid_request', `The run "${id}" ${sentence}`, { param: 'id' });
    },
  );
}
