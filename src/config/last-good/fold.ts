/** The thread that folds the file of the last good configuration: rows that later lines replaced are left out. Holds positions, not rows. */
import { open, rename, rm } from 'node:fs/promises';
import { workerData } from 'node:worker_threads';
import { commitLine, committedGroups, type RowLine } from './lines.ts';

const { path } = workerData as { path: string };
const draft = `${path}.fold`;
const bytesPerWrite = 256 * 1024;

const keyOf = ({ kind, tenant, name }: RowLine): string => JSON.stringify([kind, tenant, name]);

/** The number of the last line of each row that is not removed, and the last revision. */
async function lastLines(): Promise<{ readonly revision: number | null; readonly last: ReadonlyMap<string, number> }> {
  const last = new Map<string, number>();
  let revision: number | null = null;
  let number = 0;
  for await (const group of committedGroups(path)) {
    ({ revision } = group);
    for (const { content } of group.lines) {
      if (content.row === null) last.delete(keyOf(content));
      else last.set(keyOf(content), number);
      number++;
    }
  }
  return { revision, last };
}

async function fold(): Promise<void> {
  const { revision, last } = await lastLines();
  if (revision === null) throw new Error(`${path} holds no complete revision`);
  const file = await open(draft, 'w', 0o600);
  try {
    let text = '';
    let number = 0;
    for await (const group of committedGroups(path)) {
      for (const line of group.lines) {
        if (last.get(keyOf(line.content)) === number++) text += `${line.text}\n`;
        if (text.length < bytesPerWrite) continue;
        await file.writeFile(text);
        text = '';
      }
    }
    await file.writeFile(text + commitLine({ revision, rows: last.size }));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

try {
  await fold();
} finally {
  await rm(draft, { force: true });
}
