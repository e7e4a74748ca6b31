/** Fills the ledger of a SQLite database with runs, as fast as SQL can. */
import { DatabaseSync } from 'node:sqlite';

interface Part {
  readonly name: string;
  readonly sql: string;
}

/** Adds copies of a run of this capability, one each 2.5 seconds into the past: a million are 29 days. */
export function addRuns(file: string, copies: number, capability: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec('pragma busy_timeout = 60000; pragma synchronous = off; pragma cache_size = -200000; pragma temp_store = memory');
    const partsOf = (type: string): Part[] =>
      database
        .prepare("select name, sql from sqlite_master where type = ? and tbl_name = 'llm_run_fact' and sql is not null")
        .all(type) as unknown as Part[];
    const indexes = partsOf('index');
    const triggers = partsOf('trigger');
    const columns = (database.prepare("select name from pragma_table_info('llm_run_fact')").all() as unknown as Part[]).map(
      ({ name }) => name,
    );
    const values = columns.map((name) => {
      if (name === 'id') return "unhex(printf('%032x', n))";
      return name === 'started_at' ? 'started_at - n * 2500' : name;
    });
    // One transaction, so that the gateway never sees the table without its indexes.
    database.exec('begin immediate');
    for (const { name } of triggers) database.exec(`drop trigger "${name}"`);
    for (const { name } of indexes) database.exec(`drop index "${name}"`);
    database.exec(`with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${copies})
      insert into llm_run_fact (${columns.join(', ')}) select ${values.join(', ')}
      from numbers, (select * from llm_run_fact where id = (select packed_id from llm_run_row where capability = '${capability}' limit 1))`);
    for (const { sql } of [...indexes, ...triggers]) database.exec(sql);
    database.exec('commit');
  } finally {
    database.close();
  }
}
