/** pailou audit verify */
import { parseArgs } from 'node:util';
import { verifyAudit } from '../../storage/audit-chain.ts';
import { type Command, printError, print, UsageError, printJson } from './command.ts';
import { withDatabase } from './with-database.ts';

export const auditCommand: Command = {
  async run([verb, ...args]) {
    if (verb !== 'verify') throw new UsageError('Usage: pailou audit verify [--json]');
    const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } });
    return withDatabase(async (database) => {
      const checked = await verifyAudit(database);
      const { ok, entries, head, fault } = checked;
      if (values.json) printJson(checked);
      else if (ok) print(`${entries} entries, all unchanged. Head: ${head.sequence} ${head.hash}`);
      else printError(`${fault} ${entries} entries before it are unchanged.`);
      return ok ? 0 : 1;
    });
  },
};
