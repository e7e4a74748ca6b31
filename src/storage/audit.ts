/** The audit log. Configuration changes are logged with the change itself; denials and other acts are written here in batches. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type RawBuilder, sql } from 'kysely';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { createDurableWriter } from './durable-writer.ts';
import type { RecordState } from './record-state.ts';
import type { AuditTable } from './schema.ts';

export interface AuditAct {
  readonly tenant: string;
  readonly actor: string;
  readonly act: string;
  readonly target: string;
  readonly requestId: string;
  readonly detail?: string;
  /** JSON without secrets; set when something was replaced. */
  readonly before?: object;
  readonly after?: object;
}

export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly act: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly detail: string | null;
  readonly request_id: string;
}

/** A filter; an absent field does not restrict. */
export interface AuditFilter {
  /** Any of these. */
  readonly actors?: readonly string[] | undefined;
  readonly act?: string | undefined;
  /** Any of these: exact, or a prefix with `*` at the end. */
  readonly targets?: readonly string[] | undefined;
  /** ISO times in UTC; `to` is exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly requestId?: string | undefined;
}

export interface AuditPage {
  readonly data: AuditEntry[];
  readonly next: string | null;
}

export interface AuditLog extends AsyncDisposable {
  /** Never throws and never waits. */
  append(act: AuditAct): void;
  /** Newest first; `after` is the last id of the page before. */
  list(query: { tenant: string; after: string | null; limit: number; filter?: AuditFilter }): Promise<AuditPage>;
}

/** The prefix of ids of a moment. */
const idStart = (epochMs: number): string => epochMs.toString(36).padStart(9, '0');

/** Ids sort by time, so the key of a page is the id. */
export function auditEntryId(): string {
  return `${idStart(Date.now())}${process.hrtime.bigint().toString(36).padStart(13, '0')}${randomBytes(4).toString('hex')}`;
}

function toEntry(row: AuditTable): AuditEntry {
  const { id, at, actor, act, target, detail, request_id } = row;
  const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
  return { id, at, actor, act, target, before: parsed(row.before), after: parsed(row.after), detail, request_id };
}

/** An id contains its time, so the database finds a time range by the key. */
const slackMs = 60_000;

/** Not `like`: it has wildcards of its own, and is case-insensitive on SQLite. */
function fits(target: string): RawBuilder<boolean> {
  if (!target.endsWith('*')) return sql<boolean>`target = ${target}`;
  const start = target.slice(0, -1);
  return sql<boolean>`substr(target, 1, length(cast(${start} as text))) = ${start}`;
}

function narrowed(database: Database, tenant: string, { actors, act, targets, from, to, requestId }: AuditFilter) {
  let query = database.query.selectFrom('llm_audit').selectAll().where('tenant', '=', tenant);
  if (actors !== undefined) query = query.where('actor', 'in', actors);
  if (act !== undefined) query = query.where('act', '=', act);
  if (requestId !== undefined) query = query.where('request_id', '=', requestId);
  if (targets !== undefined) query = query.where((is) => is.or(targets.map(fits)));
  if (from !== undefined) query = query.where('at', '>=', from).where('id', '>=', idStart(Math.max(0, Date.parse(from) - slackMs)));
  if (to !== undefined) query = query.where('at', '<', to).where('id', '<', idStart(Math.max(0, Date.parse(to) + slackMs)));
  return query;
}

export interface AuditLogOptions {
  readonly database: Database;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly intervalMs?: number;
  /** As in `DurableWriterOptions`. */
  readonly watch?: (state: RecordState) => void;
}

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { database } = options;
  const writer = createDurableWriter<AuditTable>({
    name: 'audit entries',
    database,
    folder: join(options.dataDir, 'spool', 'audit'),
    intervalMs: options.intervalMs ?? 250,
    logger: options.logger,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
    rowsOf: (entries) => [{ table: 'llm_audit', rows: entries }],
    insert: (rows) => database.insertMany(rows),
  });
  return {
    append({ tenant, actor, act, target, requestId, detail, before, after }) {
      writer.add({
        id: auditEntryId(),
        at: new Date().toISOString(),
        tenant,
        actor,
        act,
        target,
        before: before === undefined ? null : JSON.stringify(before),
        after: after === undefined ? null : JSON.stringify(after),
        detail: detail ?? null,
        request_id: requestId,
        sequence: null,
        hash: null,
      });
    },
    async list({ tenant, after, limit, filter = {} }) {
      await writer.flush();
      try {
        let query = narrowed(database, tenant, filter)
          .orderBy('id', 'desc')
          .limit(limit + 1);
        if (after !== null) query = query.where('id', '<', after);
        const rows = await query.execute();
        const data = rows.slice(0, limit).map(toEntry);
        return { data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
