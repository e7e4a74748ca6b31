/** pailou migrate */
import { parseArgs } from 'node:util';
import { homeIssuer } from '../../auth/issuers.ts';
import { migrate } from '../../storage/migrate.ts';
import { type Command, print, printJson } from './command.ts';
import { withDatabase } from './with-database.ts';

export const migrateCommand: Command = {
  async run(args) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } });
    return withDatabase(async (database, settings, logger) => {
      const applied = await migrate(database, await homeIssuer(settings), undefined, logger);
      if (values.json) printJson({ applied });
      else print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
      return 0;
    });
  },
};
