/** The configuration service's view of the database: rows, revision and history, written in one transaction. */
import type { Kysely, Transaction } from 'kysely';
import type { ConfigChange, ConfigStore, HistoryEntry } from '../types/config-store.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import { auditEntryId } from './audit.ts';
import type { Database } from './database.ts';
import { maskSealed } from './secrets.ts';
import type { ConfigTable, HistoryTable, Schema } from './schema.ts';

type ConfigTableName = 'llm_provider_config' | 'llm_model_config' | 'llm_skill_config' | 'llm_mcp_config' | 'llm_grant';

const tables: Readonly<Record<ResourceKind, ConfigTableName>> = {
  provider: 'llm_provider_config',
  model: 'llm_model_config',
  skill: 'llm_skill_config',
  mcp: 'llm_mcp_config',
  grant: 'llm_grant',
};
const kinds = Object.keys(tables) as ResourceKind[];

function toRow(kind: ResourceKind, row: ConfigTable): ConfigRow {
  return {
    id: row.id,
    tenant: row.tenant,
    kind,
    name: row.name,
    spec: parseSpec(row.spec),
    enabled: row.enabled !== 0,
    owner: row.owner,
    revision: Number(row.revision),
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
  };
}

/** A spec that somebody damaged by hand must not keep the other rows from loading; the snapshot lists it as a problem. */
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
    revision: row.revision,
    created_at: row.createdAt,
    created_by: row.createdBy,
    updated_at: row.updatedAt,
    updated_by: row.updatedBy,
  };
}

const revisionOf = async (query: Kysely<Schema>): Promise<number> =>
  Number((await query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow()).revision);

async function applyChange(transaction: Transaction<Schema>, change: ConfigChange): Promise<void> {
  const table = tables[change.kind];
  if (change.before !== null) await transaction.deleteFrom(table).where('id', '=', change.before.id).execute();
  if (change.after !== null) await transaction.insertInto(table).values(toTable(change.after)).execute();
}

function act(change: ConfigChange): string {
  if (change.before === null) return 'create';
  return change.after === null ? 'delete' : 'update';
}

function toHistory(row: HistoryTable): HistoryEntry {
  return {
    revision: Number(row.revision),
    kind: row.kind as ResourceKind,
    tenant: row.tenant,
    before: row.before === null ? null : (JSON.parse(row.before) as ConfigRow),
    after: row.after === null ? null : (JSON.parse(row.after) as ConfigRow),
    at: row.at,
    actor: row.actor,
  };
}

export function createConfigStore(database: Database): ConfigStore {
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
        const begin = database.query.transaction();
        return (database.kind === 'postgres' ? begin.setIsolationLevel('repeatable read') : begin).execute(async (transaction) => {
          const revision = await revisionOf(transaction);
          const rows: ConfigRow[] = [];
          for (const kind of kinds) {
            for (const row of await transaction.selectFrom(tables[kind]).selectAll().execute()) rows.push(toRow(kind, row));
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
        return rows.map(toHistory);
      }),

    history: ({ tenant, after, limit }) =>
      guarded(async () => {
        const query = database.query
          .selectFrom('llm_config_history')
          .selectAll()
          .where('tenant', '=', tenant)
          .where('revision', '>', after);
        return (await query.orderBy('revision').orderBy('sequence').limit(limit).execute()).map(toHistory);
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
          const at = new Date().toISOString();
          let sequence = 0;
          for (const change of changes) {
            await applyChange(transaction, change);
            const { kind, tenant, before, after } = change;
            const name = (after ?? before)?.name ?? '';
            const text = (row: ConfigRow | null): string | null => (row === null ? null : JSON.stringify(row));
            await transaction
              .insertInto('llm_config_history')
              .values({
                revision,
                sequence: sequence++,
                kind,
                tenant,
                name,
                before: text(before),
                after: text(after),
                at,
                actor: actor.subject,
                summary,
              })
              .execute();
            const masked = (row: ConfigRow | null): string | null => (row === null ? null : JSON.stringify(maskSealed({ ...row })));
            await transaction
              .insertInto('llm_audit')
              .values({
                id: auditEntryId(),
                at,
                tenant,
                actor: actor.subject,
                act: act(change),
                target: `${kind}/${name}`,
                before: masked(before),
                after: masked(after),
                detail: summary,
                request_id: actor.requestId,
              })
              .execute();
          }
          await database.notify(transaction);
          return revision;
        }),
      ),

    watch: (listener) => database.watch(listener),
  };
}
