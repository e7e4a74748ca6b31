/** The plans of the statements that a piece of code executes, as the database explains them. */
import { CompiledQuery, type KyselyPlugin, type RootOperationNode, sql as raw } from 'kysely';
import type { Database } from '../../src/storage/database.ts';

/**
 * The plan as text. On PostgreSQL the indexes of partitions have the name of their index on the whole table, and empty partitions are left
 * out: the planner reads them in any way.
 */
export async function planText(database: Database, rows: readonly unknown[]): Promise<string> {
  const lines = (rows as readonly Record<string, unknown>[]).map((row) => String(row['detail'] ?? row['QUERY PLAN']));
  if (database.kind === 'sqlite') return lines.join('\n');
  const { rows: names } = await raw<{ part: string; whole: string }>`select part.relname as part, whole.relname as whole from pg_inherits
    join pg_class part on part.oid = inhrelid join pg_class whole on whole.oid = inhparent
    where part.relkind = 'i' order by length(part.relname) desc`.execute(database.query);
  // Narrow runs of the tests are older than their first month, and so lie in the partition of the rest.
  const ofEmpty = / on llm_(run|attempt)_(rest|\d{4}_\d{2})\b| on llm_run_fact_\d{4}_\d{2}\b/;
  const filled = lines.filter((line) => !ofEmpty.test(line)).join('\n');
  return names.reduce((text, { part, whole }) => text.replaceAll(part, whole), filled);
}

/** Runs `work` with a database that records its statements, and returns the plan of each. */
export async function plansOf(database: Database, work: (recording: Database) => Promise<unknown>): Promise<string[]> {
  type Id = Parameters<KyselyPlugin['transformQuery']>[0]['queryId'];
  const nodes: { node: RootOperationNode; id: Id }[] = [];
  // A query that is a part of another one is transformed, and has no result of its own.
  const transformed = new Map<Id, RootOperationNode>();
  const recorder: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      transformed.set(queryId, node);
      return node;
    },
    async transformResult({ result, queryId }) {
      const node = transformed.get(queryId);
      if (node !== undefined) nodes.push({ node, id: queryId });
      return result;
    },
  };
  await work({ ...database, query: database.query.withPlugin(recorder) });
  const plans: string[] = [];
  for (const { node, id } of nodes) {
    const { sql, parameters } = database.query.getExecutor().compileQuery(node, id);
    if (!/^\s*(select|with)/i.test(sql)) continue;
    const explain = database.kind === 'postgres' ? 'explain' : 'explain query plan';
    const { rows } = await database.query.transaction().execute(async (transaction) => {
      // A small table is read whole, which says nothing about a large one.
      if (database.kind === 'postgres') await raw`set local enable_seqscan = off`.execute(transaction);
      return transaction.executeQuery<Record<string, unknown>>(CompiledQuery.raw(`${explain} ${sql}`, [...parameters]));
    });
    plans.push(await planText(database, rows));
  }
  return plans;
}
