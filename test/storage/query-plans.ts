/** The plans of the statements that a piece of code executes, as the database explains them. */
import { CompiledQuery, type KyselyPlugin, type RootOperationNode, sql as raw } from 'kysely';
import type { Database } from '../../src/storage/database.ts';

/** Runs `work` with a database that records its statements, and returns the plan of each. */
export async function plansOf(database: Database, work: (recording: Database) => Promise<unknown>): Promise<string[]> {
  const nodes: { node: RootOperationNode; id: Parameters<KyselyPlugin['transformQuery']>[0]['queryId'] }[] = [];
  const recorder: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      nodes.push({ node, id: queryId });
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await work({ ...database, query: database.query.withPlugin(recorder) });
  const plans: string[] = [];
  for (const { node, id } of nodes) {
    const { sql, parameters } = database.query.getExecutor().compileQuery(node, id);
    if (!/^(select|with)/i.test(sql)) continue;
    const explain = database.kind === 'postgres' ? 'explain' : 'explain query plan';
    const { rows } = await database.query.transaction().execute(async (transaction) => {
      // A small table is read whole, which says nothing about a large one.
      if (database.kind === 'postgres') await raw`set local enable_seqscan = off`.execute(transaction);
      return transaction.executeQuery<Record<string, unknown>>(CompiledQuery.raw(`${explain} ${sql}`, [...parameters]));
    });
    plans.push(rows.map((row) => String(row['detail'] ?? row['QUERY PLAN'])).join('\n'));
  }
  return plans;
}
