/** Reads rows by many ids, in batches: databases limit the values of a statement, and many rows at once would hold the event loop. */

const idsAtOnce = 200;

/** The rows of all ids; `read` is called for some of the ids at a time. */
export async function inIdBatches<Row>(
  ids: readonly string[],
  read: (some: readonly string[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let start = 0; start < ids.length; start += idsAtOnce) rows.push(...(await read(ids.slice(start, start + idsAtOnce))));
  return rows;
}
