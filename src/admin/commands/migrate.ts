/** pailou migrate */
import { parseArgs } from 'node:util';
import { migrate } from '../../storage/migrate.ts';
import { type Command, print, withDatabase } from './command.ts';

export const migrateCommand: Command = {
  summary: 'Bring the database up to date without starting the gateway.',
  usage: 'pailou migrate',
  async run(args) {
    parseArgs({ args, options: {} });
    return withDatabase(async (database) => {
      const applied = await migrate(database);
      print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
      return 0;
    });
  },
};
