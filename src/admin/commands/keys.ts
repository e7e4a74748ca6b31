/** pailou keys: API keys of a running gateway, and rotate-master, which seals the database with the current master key. */
import { parseArgs } from 'node:util';
import { readSettings } from '../../config/settings.ts';
import { loadMasterKeys } from '../../storage/master-key.ts';
import { countSealed, rotateMaster, type SealedCount } from '../../storage/rotate-master.ts';
import { apiKeysCommand } from './api-keys.ts';
import { type Command, printError, print, UsageError, printJson } from './command.ts';
import { withDatabase } from './with-database.ts';

const shownAtMost = 20;

/** Prints what still depends on old keys. Returns true when nothing does. */
function tellLeft({ old, unknown, damaged }: SealedCount, checking: boolean): boolean {
  for (const [id, count] of unknown)
    printError(`${count} values are sealed with key ${id === '' ? '(unreadable)' : id}, which is not configured.`);
  for (const where of damaged.slice(0, shownAtMost))
    printError(`A secret of ${where} was changed or moved manually; no key can decrypt it.`);
  if (damaged.length > shownAtMost) printError(`… and ${damaged.length - shownAtMost} more of that kind.`);
  if (damaged.length > 0)
    printError('Secrets that cannot be decrypted are not usable: enter them again. In the history they only prevent a rollback.');
  if (old > 0)
    printError(
      checking
        ? `${old} values are sealed with an old key; pailou keys rotate-master seals them with the current one.`
        : `${old} values were sealed with an old key meanwhile: some node still has it as PAILOU_MASTER_KEY. Restart that node, then run this again.`,
    );
  return old === 0 && unknown.size === 0 && damaged.length === 0;
}

export const keysCommand: Command = {
  async run(given) {
    const [verb, ...args] = given;
    if (verb !== 'rotate-master') return apiKeysCommand.run(given);
    const { values } = parseArgs({
      args,
      options: {
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        'leave-lost': { type: 'boolean', default: false },
      },
    });
    const settings = readSettings(process.env);
    if (settings.masterKey === null)
      throw new UsageError('Set PAILOU_MASTER_KEY to the new key and PAILOU_MASTER_KEY_OLD to the former one, as on the nodes.');
    const keys = loadMasterKeys(settings);
    return withDatabase(async (database) => {
      const found = await countSealed(database, keys);
      const facts = (changed: number, { old, unknown, damaged }: SealedCount): void =>
        printJson({ key: keys.current.id, values: found.values, changed, old, unknown: Object.fromEntries(unknown), damaged });
      if (!values.json) print(`${found.values} sealed values; the current key is ${keys.current.id}.`);
      if (values.check) {
        if (values.json) facts(0, found);
        return tellLeft(found, true) ? 0 : 1;
      }
      if (found.unknown.size > 0 && !values['leave-lost']) {
        if (values.json) facts(0, found);
        tellLeft({ ...found, old: 0 }, false);
        printError(
          'Nothing was changed. Give that key in PAILOU_MASTER_KEY_OLD; if it is lost, --leave-lost leaves those values as they are.',
        );
        return 1;
      }
      const { changed, left } = await rotateMaster(database, keys);
      if (values.json) facts(changed, left);
      else print(`${changed} values were sealed with the current key.`);
      const done = tellLeft(left, false);
      if (left.old === 0 && !values.json)
        print('No old key is needed any more: remove PAILOU_MASTER_KEY_OLD on each node, and restart it.');
      return done ? 0 : 1;
    });
  },
};
