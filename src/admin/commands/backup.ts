/** pailou backup, pailou restore */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSettings } from '../../config/settings.ts';
import { backUp, type Place, restore } from '../../storage/backup/backup.ts';
import { loadMasterKeys } from '../../storage/master-key.ts';
import { createLogger } from '../../telemetry/log.ts';
import { type Command, print, UsageError, printJson } from './command.ts';
import { createProgress } from './progress.ts';

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

function placeOf({ databaseUrl, dataDir, logLevel }: ReturnType<typeof readSettings>): Place {
  return { url: databaseUrl, dataDir, logger: createLogger(logLevel) };
}

function folderOf(positionals: readonly string[], usage: string): string {
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new UsageError(`Usage: ${usage}`);
  return folder;
}

/** A missing key file of development mode is not made here: the key of the backup belongs there. */
function keyIdsOf(settings: ReturnType<typeof readSettings>): readonly string[] {
  if (settings.masterKey === null && !existsSync(join(settings.dataDir, 'master.key'))) return [];
  const { current, old = [] } = loadMasterKeys(settings);
  return [current, ...old].map(({ id }) => id);
}

/** The bytes of the files of a folder. */
function sizeOf(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  } catch {
    // It is not made yet, or a file was just renamed.
    return 0;
  }
}

const options = { json: { type: 'boolean', default: false } } as const;

export const backupCommand: Command = {
  async run(args) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const folder = folderOf(positionals, 'pailou backup <folder> [--json]');
    const progress = createProgress('Backing up', 'MB');
    // The parts of a backup are files that grow in its folder.
    const watch = setInterval(() => progress.show(Math.floor(sizeOf(folder) / 1_048_576), null), 200).unref();
    const manifest = await backUp(placeOf(readSettings(process.env)), folder).finally(() => {
      clearInterval(watch);
      progress.end();
    });
    if (values.json) {
      printJson(manifest);
      return 0;
    }
    const { database, bytes, revision, keys } = manifest;
    print(`Backed up to ${folder}: ${database}, ${megabytes(bytes)}, revision ${revision} of the configuration.`);
    if (keys.length > 0)
      print(`Its secrets open with the master key ${keys.join(', ')}, which is not in the backup. Keep that key at another place.`);
    return 0;
  },
};

export const restoreCommand: Command = {
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      options: { ...options, replace: { type: 'boolean', default: false }, 'without-key': { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const folder = folderOf(positionals, 'pailou restore <folder> [--replace] [--without-key] [--json]');
    const settings = readSettings(process.env);
    const keys = values['without-key'] ? null : keyIdsOf(settings);
    const { manifest, moved } = await restore(placeOf(settings), folder, { replace: values.replace, keys });
    if (values.json) {
      printJson({ ...manifest, moved });
      return 0;
    }
    print(
      `Restored the backup of ${manifest.created_at}: revision ${manifest.revision} of the configuration, ${megabytes(manifest.bytes)}.`,
    );
    for (const path of moved) print(`Moved aside: ${path}`);
    print('What was revoked or deleted since then is valid again: look through the changes of the time between, then start the nodes.');
    return 0;
  },
};
