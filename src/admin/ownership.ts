/** POST /api/{providers,models,skills,mcp-servers}/{name}/owner: transfers a row to another owner. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import { decide, isAdministrator } from '../auth/decide.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import { isVersion } from '../config/skill-versions.ts';
import { showRow } from '../config/shown-row.ts';
import type { ConfigService } from '../config/service.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, splitPerson } from '../types/person.ts';
import type { ConfigRow } from '../types/resources.ts';
import { expectedRevision } from './actor.ts';
import { type Collection, collections } from './collections.ts';
import { rowView } from './row-view.ts';
import { writerOf } from './writer.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const transferBody = z.strictObject({
  owner: storedText(longestPerson).describe(
    'The new owner: the subject as in GET /api/me, with the issuer (`<issuer>#<subject>`) where several are configured.',
  ),
});

export function addOwnership(app: FastifyInstance, config: ConfigService, people: PeopleReader): void {
  for (const collection of collections) if (collection.administratorsOnly !== true) addTransfer(app, config, people, collection);
}

function addTransfer(app: FastifyInstance, config: ConfigService, people: PeopleReader, collection: Collection): void {
  const { kind, path, title } = collection;

  app.post<{ Params: z.output<typeof named>; Body: z.output<typeof transferBody> }>(
    `/api/${path}/:name/owner`,
    {
      config: { access: [`llm:${collection.rights}:manage`], writes: [kind] },
      schema: {
        tags: [path],
        summary: `Transfer a ${title} to another owner`,
        description:
          'For its owner and for administrators. An owner can transfer it only to a person whose token has been seen, so that it is not lost by a typing error; an administrator can transfer it to any subject.',
        params: named,
        body: transferBody,
        response: { 200: rowView },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { name } = request.params;
      const find = (): ConfigRow => {
        const row = config.row(principal.tenant, kind, name);
        if (row === undefined || (kind === 'skill' && isVersion(name)))
          throw new GatewayError('not_found', `There is no ${title} named "${name}".`, { param: 'name' });
        return row;
      };
      const current = find();
      const owner = config.people.resolve(request.body.owner, 'owner', current.owner);
      const { grants } = snapshotOf(request).tenant(principal.tenant);
      const decision = decide(principal, 'manage', capabilityOfRow(kind, current), grants, Date.now());
      if (!decision.allowed) throw new GatewayError('permission_denied', `You may not transfer the ${title} "${name}": ${decision.reason}`);
      if (
        !isAdministrator(principal) &&
        !isPerson(principal, owner) &&
        (await people.named(principal.tenant, [splitPerson(owner)])).length === 0
      ) {
        throw new GatewayError(
          'invalid_request',
          `owner: no token with the subject "${request.body.owner}" has been seen yet. Check the subject; the person must send one request with their token first, or an administrator transfers it.`,
          { param: 'owner' },
        );
      }
      if (current.owner === owner) return reply.header('etag', `"${current.revision}"`).send(showRow(config.mask(current)));
      const mutation = {
        kind,
        tenant: principal.tenant,
        name,
        operation: 'replace' as const,
        owner,
        // The right may have changed since the row was read.
        expectedRevision: expectedRevision(request) ?? current.revision,
      };
      const from = current.owner === null ? 'no owner' : config.people.show(current.owner);
      const { revision } = await config.change(
        writerOf(request),
        [mutation],
        `transfer ${title} ${name} from ${from} to ${config.people.show(owner)}`,
      );
      const row = find();
      return reply
        .header('x-pailou-revision', revision)
        .header('etag', `"${row.revision}"`)
        .send(showRow(config.mask(row)));
    },
  );
}
