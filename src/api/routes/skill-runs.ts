/** GET and DELETE /v1/runs/{id}: a skill's run that nobody waits for, and the tree of what any run called. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { runEvent } from '../../models/faces/skill-run.ts';
import type { RunReader } from '../../storage/runs.ts';
import { GatewayError } from '../../types/errors.ts';
import type { CallServices } from '../calls/services.ts';
import { principalOf } from '../request-context.ts';
import { writeStream } from '../stream-writer.ts';
import { callerOf } from '../calls/caller.ts';
import { runTree } from '../calls/run-tree.ts';

const named = z.object({ id: z.string().min(1).max(100) });
const streamQuery = z.object({ stream: z.enum(['true', 'false']).default('false') });

function unknownRun(id: string): GatewayError {
  return new GatewayError('not_found', `There is no run "${id}" of yours. What a run answered is kept for an hour.`, { param: 'id' });
}

export function addSkillRuns(app: FastifyInstance, { liveRuns }: CallServices, runs: RunReader): void {
  const config = { access: ['llm:skill:use'] as const };
  const tags = ['skills'];

  app.get<{ Params: z.output<typeof named>; Querystring: z.output<typeof streamQuery> }>(
    '/v1/runs/:id',
    {
      config,
      schema: {
        tags,
        summary: 'One of your runs: how it stands, what it answered, what it called',
        description: 'With stream=true all news from its beginning as server-sent events, until it ends.',
        params: named,
        querystring: streamQuery,
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const found = await liveRuns.find(principal, id);
      if (request.query.stream === 'true') {
        const news = liveRuns.follow(principal, id);
        if (news === null && found === null) throw unknownRun(id);
        callerOf(request, reply);
        const ended = found === null ? [] : [[{ name: found['status'] as string, data: found }]];
        const all =
          news ??
          (async function* () {
            yield* ended;
          })();
        await writeStream(reply, all, {
          write: (batch) => batch.map(({ name, data }) => runEvent(name, data)).join(''),
          fail: () => runEvent('failed', { id, status: 'failed' }),
        });
        return reply;
      }
      const booked = await runs.tree(principal.tenant, principal.subject, id);
      if (found === null && booked.length === 0) throw unknownRun(id);
      return { ...(found ?? { id, object: 'skill.run', status: 'unknown' }), tree: runTree(id, booked) };
    },
  );

  app.delete<{ Params: z.output<typeof named> }>(
    '/v1/runs/:id',
    { config, schema: { tags, summary: 'Cancel a run that is under way on this node', params: named } },
    async (request, reply) => {
      if (!liveRuns.cancel(principalOf(request), request.params.id)) throw unknownRun(request.params.id);
      return reply.code(202).send({ id: request.params.id, object: 'skill.run', status: 'cancelling' });
    },
  );
}
