/** pailou prune: deletes what is older than the settings keep, or says what that would be. */
import { parseArgs } from 'node:util';
import { compactFile } from '../../storage/retention/compact-file.ts';
import type { Expired, PruneTask } from '../../storage/retention/prune-task.ts';
import { pruneTasks } from '../../storage/retention/retention.ts';
import { type Command, print, printError, UsageError, printJson } from './command.ts';
import { createProgress } from './progress.ts';
import { withDatabase } from './with-database.ts';

async function expiredOf(tasks: readonly PruneTask[]): Promise<readonly Expired[]> {
  const found: Expired[] = [];
  for (const task of tasks) found.push(...(await task.expired()));
  return found;
}

const shown = ({ table, count, unit }: Expired): string => `${table.padEnd(26)} ${String(count).padStart(12)} ${unit}`;

async function run(tasks: readonly PruneTask[]): Promise<number> {
  let steps = 0;
  const progress = createProgress('Pruning', 'steps');
  for (const task of tasks)
    while (await task.step()) {
      steps++;
      progress.show(steps, null);
    }
  progress.end();
  return steps;
}

export const pruneCommand: Command = {
  async run(args) {
    const { values } = parseArgs({
      args,
      options: {
        'dry-run': { type: 'boolean', default: false },
        compact: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    if (values['dry-run'] && values.compact) throw new UsageError('--dry-run changes nothing; leave --compact out.');
    return withDatabase(async (database, settings) => {
      if (values.compact && database.kind === 'postgres')
        throw new UsageError('--compact is for SQLite; PostgreSQL drops whole months, and its autovacuum does the rest.');
      const tasks = pruneTasks(database, settings.retention);
      const expired = await expiredOf(tasks);
      if (values['dry-run']) {
        if (values.json) printJson({ expired, limits: settings.retention });
        else print([...expired.map(shown), 'Nothing was deleted.'].join('\n'));
        return 0;
      }
      const steps = await run(tasks);
      if (values.compact) await compactFile(database);
      const left = (await expiredOf(tasks)).filter(({ unit, count }) => unit !== 'bytes' && count > 0);
      if (values.json) printJson({ deleted: expired, left, steps });
      else print([...expired.map(shown), steps === 0 ? 'Nothing was old enough.' : `Deleted in ${steps} steps.`].join('\n'));
      if (left.length > 0)
        printError('Something is left: another node is at work, or sums of older versions are still being made. Try again later.');
      return left.length > 0 ? 1 : 0;
    });
  },
};
