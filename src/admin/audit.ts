/** GET /api/audit: the audit log, newest first, by page or as a file. */
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import type { PersonNames } from '../config/person-names.ts';
import { showPeople } from '../config/row-people.ts';
import { showRow } from '../config/shown-row.ts';
import type { AuditEntry, AuditFilter, AuditLog } from '../storage/audit.ts';
import type { AuditVerdict } from '../storage/audit-chain.ts';
import type { ConfigRow } from '../types/resources.ts';
import { longestPerson, personRef, splitPerson, systemActor } from '../types/person.ts';
import { readSentences, type Sentence } from './audit-sentences/read-sentences.ts';
import { csvOf, csvRows } from './csv.ts';
import { pageQuery } from './paging.ts';
import { requireRange, timeRange } from './time-range.ts';

const filterQuery = z.strictObject({
  actor: storedText(longestPerson)
    .optional()
    .describe('Who did it: a person as in GET /api/me, with the issuer where several are configured; `pailou`; or an address.'),
  act: storedText(100).optional().describe('create, update, delete, denied, refused, signed-in …'),
  target: storedText(longestPerson + 20)
    .optional()
    .describe('The target, such as model/gpt; a trailing * matches any rest.'),
  ...timeRange,
  request_id: storedText(64).optional(),
});
const listQuery = filterQuery.extend(pageQuery.shape);
const exportQuery = filterQuery.extend({ format: z.enum(['csv', 'jsonl']).default('jsonl') });

const columns = ['id', 'at', 'actor', 'act', 'target', 'detail', 'request_id', 'before', 'after'] as const;
const entriesAtOnce = 500;

/** Entries name people with their issuer; entries of versions before 0.2 name the subject alone. */
function actorsOf(actor: string, names: PersonNames): readonly string[] {
  if (actor === systemActor || isIP(actor) !== 0) return [actor];
  const person = names.resolve(actor, 'actor');
  const { subject } = splitPerson(person);
  return subject === systemActor ? [person] : [person, subject];
}

function targetsOf(target: string, names: PersonNames): readonly string[] {
  if (!target.startsWith('person/') || target.endsWith('*')) return [target];
  const person = names.resolve(target.slice('person/'.length), 'target');
  return [`person/${person}`, `person/${splitPerson(person).subject}`];
}

function filterOf({ actor, act, target, from, to, request_id: requestId }: z.output<typeof filterQuery>, names: PersonNames): AuditFilter {
  requireRange({ from, to });
  return {
    actors: actor === undefined ? undefined : actorsOf(actor, names),
    act,
    targets: target === undefined ? undefined : targetsOf(target, names),
    from,
    to,
    requestId,
  };
}

/** The row before or after the change, as the API shows it. */
function shownRow(value: unknown, names: PersonNames): unknown {
  const isRow = typeof value === 'object' && value !== null && 'owner' in value && 'createdBy' in value && 'spec' in value;
  return isRow ? showRow(showPeople(value as unknown as ConfigRow, names)) : value;
}

interface ShownEntry extends AuditEntry {
  readonly sentences: readonly Sentence[];
}

function shown(entry: AuditEntry, names: PersonNames): ShownEntry {
  const { actor, target, before, after } = entry;
  const person = target.startsWith('person/') ? target.slice('person/'.length) : null;
  return {
    ...entry,
    actor: names.show(actor),
    target: person === null ? target : `person/${names.show(person)}`,
    before: shownRow(before, names),
    after: shownRow(after, names),
    sentences: readSentences(entry.act, entry.detail),
  };
}

const textOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

function csvLines(entries: readonly AuditEntry[]): string {
  return csvRows(
    columns,
    entries.map((entry) => ({ ...entry, before: textOf(entry.before), after: textOf(entry.after) })),
  );
}

const jsonLines = (entries: readonly AuditEntry[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

const verdict = z.object({
  ok: z.boolean().describe('Every sealed entry is as it was written, and none is missing.'),
  entries: z.int().describe('The sealed entries of the whole gateway up to the first that was changed or is missing.'),
  head: z.object({ sequence: z.int(), hash: z.string() }).describe('Keep a copy elsewhere: it detects a chain that was built anew.'),
});

export interface AuditServices {
  readonly audit: AuditLog;
  readonly names: PersonNames;
  /** Reads the whole chain. */
  readonly verify: () => Promise<AuditVerdict>;
}

export function addAudit(app: FastifyInstance, { audit, names, verify }: AuditServices): void {
  const config = { access: 'administrator' } as const;
  const tags = ['audit'];

  app.get<{ Querystring: z.output<typeof listQuery> }>(
    '/api/audit',
    {
      config,
      schema: {
        tags,
        summary: 'Every change, every denial and every sign-in, newest first',
        description:
          '`sentences` is the detail as codes with parameters, for readers in other languages: most often one sentence, and its reason as a second one. It is empty for a detail that is a name or the words of a person. The CSV of the export has the detail alone.',
        querystring: listQuery,
      },
    },
    async (request) => {
      const { after, limit, ...filter } = request.query;
      const page = await audit.list({ tenant: principalOf(request).tenant, after: after ?? null, limit, filter: filterOf(filter, names) });
      return { data: page.data.map((entry) => shown(entry, names)), next: page.next };
    },
  );

  /** Several readers share one reading of the chain. */
  let verifying: Promise<AuditVerdict> | null = null;
  app.get(
    '/api/audit/verify',
    {
      config,
      schema: {
        tags,
        summary: 'Verify the chain of the audit',
        description: 'Reads all sealed entries of the gateway. Entries of the last second may not be sealed yet.',
        response: { 200: verdict },
      },
    },
    async () => {
      verifying ??= verify().finally(() => {
        verifying = null;
      });
      const { ok, entries, head } = await verifying;
      // The text of a fault may name an entry of another tenant.
      return { ok, entries, head };
    },
  );

  app.get<{ Querystring: z.output<typeof exportQuery> }>(
    '/api/audit/export',
    {
      config,
      schema: {
        tags,
        summary: 'The audit as a file: all entries that match the filters',
        description:
          'CSV for a spreadsheet, or one JSON object per line. A truncated download lacks its last chunk, so that clients report an error.',
        querystring: exportQuery,
      },
    },
    async (request, reply) => {
      const { format, ...query } = request.query;
      const principal = principalOf(request);
      const { tenant } = principal;
      const filter = filterOf(query, names);
      const page = async (after: string | null) => {
        const found = await audit.list({ tenant, after, limit: entriesAtOnce, filter });
        return { data: found.data.map((entry) => shown(entry, names)), next: found.next };
      };
      // Reads the first page before the response begins, so that an unavailable database gets a status.
      const first = await page(null);
      audit.append({ tenant, actor: personRef(principal), act: 'export', target: 'audit', requestId: request.id, detail: format });
      const write = format === 'csv' ? csvLines : jsonLines;
      async function* lines(): AsyncGenerator<string> {
        if (format === 'csv') yield csvOf(columns, []);
        let { data, next } = first;
        if (data.length > 0) yield write(data);
        while (next !== null) {
          ({ data, next } = await page(next));
          if (data.length > 0) yield write(data);
        }
      }
      const name = `audit-${new Date().toISOString().slice(0, 10)}.${format}`;
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Readable.from(lines()));
    },
  );
}
