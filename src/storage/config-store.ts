/** The configuration tables: rows, revision and history, written in one transaction. */
import type { Kysely, Transaction } from 'kysely';
import type { Actor, ConfigChange, ConfigStore, HistoryEntry } from '../types/config-store.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import { rowLabels } from '../types/row-labels.ts';
import type { Basis } from '../types/basis.ts';
import { auditEntryId } from './audit.ts';
import { auditedRow } from './audited-row.ts';
import type { Database } from './database.ts';
import { renewedJson } from './sealed-json.ts';
import { rowContext, type SecretBox } from './secret-box.ts';
import type { AuditTable, ConfigTable, HistoryTable, Schema } from './schema.ts';

export type ConfigTableName =
  | 'llm_provider_config'
  | 'llm_model_config'
  | 'llm_skill_config'
  | 'llm_mcp_config'
  | 'llm_grant'
  | 'llm_limit'
  | 'llm_key'
  | 'llm_service_account'
  | 'llm_team';

const tables: Readonly<Record<ResourceKind, ConfigTableName>> = {
  provider: 'llm_provider_config',
  model: 'llm_model_config',
  skill: 'llm_skill_config',
  mcp: 'llm_mcp_config',
  grant: 'llm_grant',
  limit: 'llm_limit',
  key: 'llm_key',
  service: 'llm_service_account',
  team: 'llm_team',
};
const kinds = Object.keys(tables) as ResourceKind[];

/** The tables of configuration rows. */
export const configTables: readonly ConfigTableName[] = Object.values(tables);

function toRow(kind: ResourceKind, row: ConfigTable, box: SecretBox | null): ConfigRow {
  return {
    id: row.id,
    tenant: row.tenant,
    kind,
    name: row.name,
    spec: parseSpec(box === null ? row.spec : renewedJson(row.spec, box, rowContext(row))),
    enabled: row.enabled !== 0,
    owner: row.owner,
    ...(row.target === null ? {} : { target: row.target }),
    ...approvedTagsOf(row.approved_tags),
    ...basisOf(row.basis),
    ...labelsOf(row.labels),
    revision: Number(row.revision),
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
  };
}

/** A damaged list approves nothing. */
function approvedTagsOf(text: string | null): Pick<ConfigRow, 'approvedTags'> {
  if (text === null) return {};
  try {
    const tags: unknown = JSON.parse(text);
    return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? { approvedTags: tags } : {};
  } catch {
    return {};
  }
}

/** A damaged basis gives no right. */
function basisOf(text: string | null): Pick<ConfigRow, 'basis'> {
  if (text === null) return {};
  try {
    const basis: unknown = JSON.parse(text);
    const isBasis = typeof basis === 'object' && basis !== null && Object.values(basis).every((right) => typeof right === 'string');
    return { basis: isBasis ? (basis as Basis) : {} };
  } catch {
    return { basis: {} };
  }
}

/** Damaged labels own nothing. */
function labelsOf(text: string | null): Pick<ConfigRow, 'labels'> {
  if (text === null) return {};
  try {
    const labels = rowLabels.safeParse(JSON.parse(text));
    return labels.success ? { labels: labels.data } : {};
  } catch {
    return {};
  }
}

/** A damaged spec must not prevent other rows from loading. The snapshot lists it as a problem. */
function parseSpec(text: string): ConfigRow['spec'] {
  try {
    const spec: unknown = JSON.parse(text);
    if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) return spec as ConfigRow['spec'];
  } catch {
    // Falls through to a spec that no schema accepts.
  }
  return { $damaged: text.slice(0, 200) };
}

function toTable(row: ConfigRow): ConfigTable {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    spec: JSON.stringify(row.spec),
    enabled: row.enabled ? 1 : 0,
    owner: row.owner,
    target: row.target ?? null,
    approved_tags: row.approvedTags == null ? null : JSON.stringify(row.approvedTags),
    basis: row.basis === undefined ? null : JSON.stringify(row.basis),
    labels: row.labels === undefined ? null : JSON.stringify(row.labels),
    revision: row.revision,
    created_at: row.createdAt,
    created_by: row.createdBy,
    updated_at: row.updatedAt,
    updated_by: row.updatedBy,
  };
}

const revisionOf = async (query: Kysely<Schema>): Promise<number> =>
  Number((await query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow()).revision);

/** Rows per statement, far below the value limit of both databases. */
const rowsPerStatement = 500;

function* slices<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += rowsPerStatement) yield items.slice(start, start + rowsPerStatement);
}

/** Deletions first, so that names may change hands within one commit. A row changed more than once gets its last state. */
async function writeRows(transaction: Transaction<Schema>, changes: readonly ConfigChange[]): Promise<void> {
  for (const kind of kinds) {
    const last = new Map<string, ConfigRow | null>();
    for (const { kind: changed, before, after } of changes) {
      if (changed !== kind) continue;
      if (before !== null) last.set(before.id, null);
      if (after !== null) last.set(after.id, after);
    }
    for (const ids of slices([...last.keys()])) await transaction.deleteFrom(tables[kind]).where('id', 'in', ids).execute();
    const rows = [...last.values()].filter((row) => row !== null).map(toTable);
    for (const values of slices(rows)) await transaction.insertInto(tables[kind]).values(values).execute();
  }
}

function act(change: ConfigChange): string {
  if (change.before === null) return 'create';
  return change.after === null ? 'delete' : 'update';
}

const nameOf = ({ before, after }: ConfigChange): string => (after ?? before)?.name ?? '';
const audited = (row: ConfigRow | null): ConfigRow | null => (row === null ? null : auditedRow(row));
const textOf = (row: unknown): string | null => (row === null ? null : JSON.stringify(row));

function toHistoryTable(
  change: ConfigChange,
  commit: { readonly revision: number; readonly sequence: number; readonly at: string; readonly actor: string; readonly summary: string },
): HistoryTable {
  const { kind, tenant, before, after } = change;
  return { ...commit, kind, tenant, name: nameOf(change), before: textOf(before), after: textOf(after) };
}

/** Masks secrets: people read the audit; only roll-backs read the history. */
function toAuditTable(change: ConfigChange, at: string, actor: Actor, summary: string): AuditTable {
  return {
    id: auditEntryId(),
    at,
    tenant: change.tenant,
    actor: actor.subject,
    act: act(change),
    target: `${change.kind}/${nameOf(change)}`,
    before: textOf(audited(change.before)),
    after: textOf(audited(change.after)),
    detail: summary,
    request_id: actor.requestId,
    sequence: null,
    hash: null,
  };
}

function parseRow(text: string | null, box: SecretBox | null): ConfigRow | null {
  if (text === null) return null;
  const row = JSON.parse(text) as ConfigRow;
  if (box === null) return row;
  const renewed = renewedJson(text, box, rowContext(row));
  return renewed === text ? row : (JSON.parse(renewed) as ConfigRow);
}

function toHistory(row: HistoryTable, box: SecretBox | null): HistoryEntry {
  return {
    revision: Number(row.revision),
    sequence: row.sequence,
    kind: row.kind as ResourceKind,
    tenant: row.tenant,
    before: parseRow(row.before, box),
    after: parseRow(row.after, box),
    at: row.at,
    actor: row.actor,
  };
}

/** With a `box`, values are re-sealed under the current key on read, so that no write uses an old key. */
export function createConfigStore(database: Database, box: SecretBox | null = null): ConfigStore {
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw database.explain(thrown);
    }
  };
  return {
    revision: () => guarded(() => revisionOf(database.query)),

    load: () =>
      guarded(() => {
        const begin = database.query.transaction().setAccessMode('read only');
        return (database.kind === 'postgres' ? begin.setIsolationLevel('repeatable read') : begin).execute(async (transaction) => {
          const revision = await revisionOf(transaction);
          const rows: ConfigRow[] = [];
          for (const kind of kinds) {
            for (const row of await transaction.selectFrom(tables[kind]).selectAll().execute()) rows.push(toRow(kind, row, box));
          }
          return { revision, rows };
        });
      }),

    changesSince: (revision) =>
      guarded(async () => {
        const rows = await database.query
          .selectFrom('llm_config_history')
          .selectAll()
          .where('revision', '>', revision)
          .orderBy('revision')
          .orderBy('sequence')
          .execute();
        return rows.map((row) => toHistory(row, box));
      }),

    oldestChange: () =>
      guarded(async () => {
        const oldest = await database.query
          .selectFrom('llm_config_history')
          .select('revision')
          // Of the oldest revision, retention may have deleted a part.
          .where('sequence', '=', 0)
          .orderBy('revision')
          .limit(1)
          .executeTakeFirst();
        return oldest === undefined ? null : Number(oldest.revision);
      }),

    history: ({ tenant, after, afterSequence, newestFirst = false, limit }) =>
      guarded(async () => {
        const inTenant = database.query.selectFrom('llm_config_history').selectAll().where('tenant', '=', tenant);
        const [beyond, from, order] = newestFirst ? (['<', '<=', 'desc'] as const) : (['>', '>=', 'asc'] as const);
        const query =
          afterSequence === undefined
            ? inTenant.where('revision', beyond, after)
            : inTenant
                .where('revision', from, after)
                .where((is) => is.or([is('revision', beyond, after), is('sequence', beyond, afterSequence)]));
        return (await query.orderBy('revision', order).orderBy('sequence', order).limit(limit).execute()).map((row) => toHistory(row, box));
      }),

    commit: (expected, changes, actor, summary) =>
      guarded(() =>
        database.query.transaction().execute(async (transaction) => {
          const revision = expected + 1;
          const moved = await transaction
            .updateTable('llm_config_revision')
            .set({ revision })
            .where('revision', '=', expected)
            .executeTakeFirst();
          if (moved.numUpdatedRows === 0n) return null;
          await writeRows(transaction, changes);
          const at = new Date().toISOString();
          const history = changes.map((change, sequence) =>
            toHistoryTable(change, { revision, sequence, at, actor: actor.subject, summary }),
          );
          for (const values of slices(history)) await transaction.insertInto('llm_config_history').values(values).execute();
          const audit = changes.map((change) => toAuditTable(change, at, actor, summary));
          for (const values of slices(audit)) await transaction.insertInto('llm_audit').values(values).execute();
          await database.notify(transaction);
          return revision;
        }),
      ),

    watch: (listener) => database.watch(listener),
  };
}
