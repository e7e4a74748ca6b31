/** The tenants of a table with an index that begins with the tenant, each found by one look into it. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';

export async function* tenantsOf({ query }: Database, table: string): AsyncGenerator<string> {
  for (let after = ''; ;) {
    const { rows } = await sql<{ tenant: string }>`select tenant from ${sql.table(table)} where tenant > ${after}
      order by tenant limit 1`.execute(query);
    const tenant = rows[0]?.tenant;
    if (tenant === undefined) return;
    yield tenant;
    after = tenant;
  }
}
