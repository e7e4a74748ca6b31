/** GET /api/access/matrix: who may do what, and the rule that decides. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { decide } from '../auth/decide.ts';
import type { PersonNames } from '../config/person-names.ts';
import type { ConfigService } from '../config/service.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import { type Action, actions, type Capability, type GrantIndex } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { longestPerson, personRef } from '../types/person.ts';
import type { GrantSpec } from '../types/resources.ts';
import type { TenantView } from '../types/snapshot.ts';
import { accessSubjects, type AccessSubject, type Named, type SubjectPlace, subjectTypes } from './access-subjects.ts';
import { pageQuery } from './paging.ts';
import { storedText } from '../api/bodies/stored-text.ts';

const matrixQuery = z.strictObject({
  ...pageQuery.shape,
  after: z.string().max(2_000).optional().describe('The `next` of the previous page.'),
  capability: z.string().min(1).max(300).optional().describe('A capability such as model/gpt; a trailing * matches any rest.'),
  subject: storedText(longestPerson)
    .optional()
    .describe('Only this person, client or role; a person with the issuer (`<issuer>#<subject>`) where several are configured.'),
  allowed_only: z.enum(['true', 'false']).default('false').describe('true: omits the rows in which nothing is allowed.'),
});

const ruling = z.object({
  may: z
    .enum(['yes', 'no', 'with_code'])
    .describe('with_code: allowed when their token contains the required code, such as llm:model:use.'),
  rule: z.string(),
});
const line = z.object({
  subject: z.object({
    type: z.enum(subjectTypes).describe('person: known from an earlier token. stranger: named by a grant, not seen in any token.'),
    name: z.string(),
    username: z.string().optional(),
    issuer: z.string().optional(),
    roles: z.array(z.string()).optional(),
    seen_at: z.string().optional().describe('When their last token was seen; the row reflects that token.'),
  }),
  capability: z.string(),
  owner: z.string().nullable(),
  view: ruling,
  use: ruling,
  manage: ruling,
});
const matrix = z.object({ data: z.array(line), next: z.string().nullable() });
type Line = z.output<typeof line>;

/** The most lines that are evaluated per page, shown or not, so that a page never blocks the node. */
const looksAtMost = 5_000;

/** The last line of a page: its subject and its capability. */
interface Cursor extends SubjectPlace {
  readonly capability: string;
}

const cursorShape = z.tuple([z.enum(subjectTypes), z.array(storedText(2_000)).min(1).max(2), z.string()]);

function writeCursor({ type, key, capability }: Cursor): string {
  return Buffer.from(JSON.stringify([type, key, capability])).toString('base64url');
}

function readCursor(text: string): Cursor {
  try {
    const [type, key, capability] = cursorShape.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { type, key, capability };
  } catch {
    throw new GatewayError('invalid_request', 'after: must be the `next` of the previous page.', { param: 'after' });
  }
}

const referenceOf = ({ kind, name }: Capability): string => `${kind}/${name}`;

function capabilitiesOf(view: TenantView, wanted: string | undefined): Capability[] {
  const all = [view.models, view.skills, view.mcpServers].flatMap((entries) => [...entries.values()].map((entry) => entry.capability));
  const start = wanted?.endsWith('*') === true ? wanted.slice(0, -1) : undefined;
  const good = (name: string): boolean => wanted === undefined || (start === undefined ? name === wanted : name.startsWith(start));
  return all.filter((each) => good(referenceOf(each))).toSorted((one, other) => (referenceOf(one) < referenceOf(other) ? -1 : 1));
}

/** A text without issuer names a person only when one issuer is configured; it always names a role or a client. */
function namedBy(text: string, names: PersonNames): Named {
  try {
    return { text, person: names.resolve(text, 'subject') };
  } catch {
    return { text, person: null };
  }
}

function lineOf(
  { type, key, principal, person }: AccessSubject,
  capability: Capability,
  { grants, names, now }: { readonly grants: GrantIndex; readonly names: PersonNames; readonly now: number },
): Line {
  const isPerson = type === 'person' || type === 'stranger';
  const rulingOn = (action: Action): z.output<typeof ruling> => {
    const { allowed, rule } = decide(principal, action, capability, grants, now);
    return { may: allowed ? (type === 'person' ? 'yes' : 'with_code') : 'no', rule };
  };
  const known =
    person === null
      ? {}
      : { username: person.username, issuer: person.issuer, roles: [...person.roles], seen_at: new Date(person.seenAt).toISOString() };
  return {
    subject: { type, name: isPerson ? names.show(personRef(principal)) : (key[0] ?? ''), ...known },
    capability: referenceOf(capability),
    owner: capability.owner === null ? null : names.show(capability.owner),
    view: rulingOn('view'),
    use: rulingOn('use'),
    manage: rulingOn('manage'),
  };
}

const allowsAnything = (each: Line): boolean => actions.some((action) => each[action].may !== 'no');

export function addAccessMatrix(app: FastifyInstance, config: ConfigService, people: PeopleReader): void {
  app.get<{ Querystring: z.output<typeof matrixQuery> }>(
    '/api/access/matrix',
    {
      config: { access: 'administrator' },
      schema: {
        tags: ['access'],
        summary: 'Who can do what, and the rule that decides',
        description:
          'One row for each subject and each model, skill and MCP server. Subjects are known people, the roles, and the subjects of grants. A page may contain fewer rows than requested, or none: continue until `next` is null.',
        querystring: matrixQuery,
        response: { 200: matrix },
      },
    },
    async (request) => {
      const { tenant } = principalOf(request);
      const { after, limit, subject: wanted, allowed_only: allowedOnly } = request.query;
      const view = snapshotOf(request).tenant(tenant);
      const capabilities = capabilitiesOf(view, request.query.capability);
      const from = after === undefined ? null : readCursor(after);
      const only = wanted === undefined ? null : namedBy(wanted, config.people);
      const data: Line[] = [];
      if (capabilities.length === 0) return { data, next: null };
      const grants = config
        .rows(tenant, 'grant')
        .filter((row) => row.enabled)
        .map((row) => row.spec as unknown as GrantSpec);
      const now = Date.now();
      let looks = 0;
      let last: Cursor | null = null;
      for await (const subject of accessSubjects(people, tenant, grants, { from, only })) {
        const { type, key } = subject;
        const again = from !== null && type === from.type && key.join('\n') === from.key.join('\n');
        for (const capability of capabilities) {
          const reference = referenceOf(capability);
          if (again && reference <= from.capability) continue;
          if (last !== null && (data.length === limit || looks >= looksAtMost)) return { data, next: writeCursor(last) };
          looks++;
          last = { type, key, capability: reference };
          const found = lineOf(subject, capability, { grants: view.grants, names: config.people, now });
          if (allowedOnly === 'false' || allowsAnything(found)) data.push(found);
        }
      }
      return { data, next: null };
    },
  );
}
