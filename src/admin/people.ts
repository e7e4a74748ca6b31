/** /api/people: the people seen in a tenant, and the way to block one at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import type { PersonNames } from '../config/person-names.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Person } from '../storage/people.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import type { BlockedPerson, Revocations } from '../storage/revocations.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, type PersonId, personRef, splitPerson } from '../types/person.ts';
import { textField } from '../types/printable-text.ts';
import { pageQuery } from './paging.ts';
import { nextPerson, readPersonCursor } from './people-cursor.ts';

const named = z.object({
  id: storedText(longestPerson).describe(
    'The subject as in GET /api/me, with the issuer (`<issuer>#<subject>`, encoded) where several are configured.',
  ),
});
const blockBody = z
  .strictObject({ reason: textField(500).default('').describe('The reason, for the audit and for other administrators.') })
  .nullish();
const personView = z.object({
  id: z.string(),
  username: z.string(),
  issuer: z.string(),
  roles: z.array(z.string()),
  seen_at: z.string().nullable().describe('When their last token was seen; null when none has been seen.'),
  blocked: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
});
type PersonView = z.output<typeof personView>;

export interface PeopleServices {
  readonly people: PeopleReader;
  readonly revocations: Revocations;
  readonly names: PersonNames;
  readonly audit: AuditLog;
}

const writtenWithinMs = 350;

export function addPeople(app: FastifyInstance, { people, revocations, names, audit }: PeopleServices): void {
  const tags = ['people'];
  const access = { access: 'administrator' } as const;
  const blockOf = (tenant: string, who: PersonId): BlockedPerson | undefined =>
    revocations.blockedIn(tenant).find(({ issuer, subject }) => issuer === who.issuer && subject === who.subject);
  const view = (tenant: string, who: PersonId, person: Person | undefined): PersonView => {
    const blocked = blockOf(tenant, who);
    return {
      id: names.show(personRef(who)),
      username: person?.username ?? who.subject,
      issuer: who.issuer,
      roles: [...(person?.roles ?? [])],
      seen_at: person === undefined ? null : new Date(person.seenAt).toISOString(),
      blocked:
        blocked === undefined
          ? null
          : { at: new Date(blocked.blockedAt).toISOString(), by: names.show(blocked.blockedBy), reason: blocked.reason },
    };
  };
  /** People are stored within half a second of their first token, so a new one is looked up again. */
  const seen = async (tenant: string, who: PersonId): Promise<Person | undefined> => {
    for (let tries = 0; tries < 3; tries++) {
      if (tries > 0) await sleep(writtenWithinMs);
      const [person] = await people.named(tenant, [who]);
      if (person !== undefined || blockOf(tenant, who) !== undefined) return person;
    }
    return undefined;
  };
  /** A person of the caller's tenant, seen or blocked there. */
  const find = async (
    request: FastifyRequest<{ Params: z.output<typeof named> }>,
  ): Promise<{ who: PersonId; person: Person | undefined }> => {
    const { tenant } = principalOf(request);
    const who = splitPerson(names.resolve(request.params.id, 'id'));
    const person = await seen(tenant, who);
    if (person === undefined && blockOf(tenant, who) === undefined)
      throw new GatewayError(
        'not_found',
        `No token with the subject "${request.params.id}" has been seen yet. GET /api/people lists the known subjects.`,
        { param: 'id' },
      );
    return { who, person };
  };
  const book = (request: FastifyRequest, act: string, who: PersonId, detail: string): void => {
    const principal = principalOf(request);
    audit.append({
      tenant: principal.tenant,
      actor: personRef(principal),
      act,
      target: `person/${personRef(who)}`,
      requestId: request.id,
      detail,
    });
  };

  app.get<{ Querystring: z.output<typeof pageQuery> }>(
    '/api/people',
    {
      config: access,
      schema: {
        tags,
        summary: 'People whose tokens have been seen, and who is blocked',
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(personView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { tenant } = principalOf(request);
      const { after, limit } = request.query;
      const page = await people.page({ tenant, after: after === undefined ? null : readPersonCursor(after), limit });
      const next = page.length < limit ? null : nextPerson(page.at(-1));
      return { data: page.map((person) => view(tenant, person, person)), next };
    },
  );

  app.get<{ Params: z.output<typeof named> }>(
    '/api/people/:id',
    { config: access, schema: { tags, summary: 'One person', params: named, response: { 200: personView } } },
    async (request) => {
      const { who, person } = await find(request);
      return view(principalOf(request).tenant, who, person);
    },
  );

  app.post<{ Params: z.output<typeof named>; Body: z.output<typeof blockBody> }>(
    '/api/people/:id/block',
    {
      config: { ...access, writes: 'none' },
      schema: {
        tags,
        summary: 'Block a person, on every node within a second',
        description:
          'Their tokens, keys and browser sessions are refused, and their active streams and background runs end. The block holds until it is removed, whatever their OAuth2 service says. Browser sessions end permanently.',
        params: named,
        body: blockBody,
        response: { 200: personView },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { who, person } = await find(request);
      if (isPerson(principal, personRef(who)))
        throw new GatewayError('invalid_request', 'id: you cannot block yourself; another administrator can.', { param: 'id' });
      const reason = request.body?.reason ?? '';
      await revocations.block({
        tenant: principal.tenant,
        ...who,
        blockedAt: Date.now(),
        blockedBy: personRef(principal),
        reason,
      });
      book(request, 'block', who, reason);
      return view(principal.tenant, who, person);
    },
  );

  app.post<{ Params: z.output<typeof named> }>(
    '/api/people/:id/unblock',
    {
      config: { ...access, writes: 'none' },
      schema: { tags, summary: 'Unblock a person', params: named, response: { 200: personView } },
    },
    async (request) => {
      const { tenant } = principalOf(request);
      const { who, person } = await find(request);
      if (await revocations.unblock({ tenant, ...who })) book(request, 'unblock', who, '');
      return view(tenant, who, person);
    },
  );
}
