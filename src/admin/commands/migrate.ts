/** pailou migrate */
import { parseArgs } from 'node:util';
import { homeIssuer } from '../../auth/issuers.ts';
import { migrate } from '../../storage/migrate.ts';
import { type Command, print } from './command.ts';
import { withDatabase } from './with-database.ts';

export const migrateCommand: Command = {
  async run(args) {
    parseArgs({ args, options: {} });
    return withDatabase(async (database, settings) => {
      const applied = await migrate(database, await homeIssuer(settings));
      print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
      return 0;
    });
  },
};
