/** Rows by their ids, however many these are: databases take only so many values in one statement. */

const idsAtOnce = 500;

/** All that `read` gives, which is asked for some of the ids at a time. */
export async function inIdBatches<Row>(
  ids: readonly string[],
  read: (some: readonly string[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let start = 0; start < ids.length; start += idsAtOnce) rows.push(...(await read(ids.slice(start, start + idsAtOnce))));
  return rows;
}
