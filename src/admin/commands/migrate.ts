/** pailou migrate */
import { parseArgs } from 'node:util';
import { homeIssuer } from '../../auth/issuers.ts';
import { migrate } from '../../storage/migrate.ts';
import { type Command, print, withDatabase } from './command.ts';

export const migrateCommand: Command = {
  summary: 'Bring the database up to date without starting the gateway.',
  usage: 'pailou migrate',
  async run(args) {
    parseArgs({ args, options: {} });
    return withDatabase(async (database, settings) => {
      const applied = await migrate(database, await homeIssuer(settings));
      print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
      return 0;
    });
  },
};
