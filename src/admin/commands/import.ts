/** pailou import litellm, pailou import new-api: documents for `pailou apply` from the configuration of another gateway. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Document } from 'yaml';
import type { Imported } from '../../config/imports/imported.ts';
import { lineOfOtherEncoding } from '../../text/utf8.ts';
import { type Command, printError, UsageError, printJson, printNote } from './command.ts';
import { fileFault } from './file-fault.ts';

const usage =
  'Usage: pailou import litellm <config.yaml> | new-api <file of SQLite, postgres://… or mysql://…> [--grant <role>] [--secrets <file>] [--json]';

async function fromNewApi(address: string, role: string | null): Promise<Imported> {
  const { importNewApi } = await import('../../config/imports/new-api.ts');
  const { createLogger } = await import('../../telemetry/log.ts');
  const isUrl = /^[a-z]+:\/\//.test(address);
  const { openExternalDatabase, externalUrlProblem } = await import('../../storage/external/open-external.ts');
  const problem = isUrl ? externalUrlProblem(address) : null;
  if (problem !== null) throw new UsageError(problem);
  const { openExternalSqlite } = await import('../../storage/external/sqlite-file.ts');
  const database = isUrl ? openExternalDatabase(address, createLogger('error')) : openExternalSqlite(address);
  try {
    return await importNewApi(database, role);
  } finally {
    await database.close();
  }
}

async function fromLiteLlm(path: string, role: string | null): Promise<Imported> {
  const [{ importLiteLlm }, bytes] = await Promise.all([import('../../config/imports/litellm.ts'), readFile(path)]);
  const line = lineOfOtherEncoding(bytes);
  if (line !== null) throw new Error(`line ${line} is not UTF-8; save the file in this encoding`);
  return importLiteLlm(bytes.toString('utf8'), role);
}

/** A place without the user and the password of its address. */
const publicPlace = (place: string): string => place.replace(/^([a-z]+:\/\/).*@/i, '$1');

/** Values for a shell: single quotes, and those inside escaped. */
const environmentFile = (secrets: Imported['secrets']): string =>
  [...secrets].flatMap(([name, value]) => (value === null ? [] : [`export ${name}='${value.replaceAll("'", "'\\''")}'\n`])).join('');

export const importCommand: Command = {
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      options: { grant: { type: 'string' }, secrets: { type: 'string' }, json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [source, place, more] = positionals;
    if (place === undefined || more !== undefined || (source !== 'litellm' && source !== 'new-api')) throw new UsageError(usage);
    let imported: Imported;
    try {
      const role = values.grant ?? null;
      imported = await (source === 'litellm' ? fromLiteLlm(place, role) : fromNewApi(place, role));
    } catch (thrown) {
      if (thrown instanceof UsageError) throw thrown;
      printError(
        fileFault(thrown, publicPlace(place)) ?? `${publicPlace(place)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        {
          code: 'file_invalid',
        },
      );
      return 1;
    }
    if (imported.documents.length + imported.left.length === 0) {
      const has = source === 'litellm' ? 'A configuration of LiteLLM has a model_list.' : 'A database of new-api has channels.';
      printError(`${publicPlace(place)}: there is nothing to import. ${has}`, { code: 'file_invalid' });
      return 1;
    }
    const literal = [...imported.secrets].filter(([, value]) => value !== null);
    if (values.secrets !== undefined && literal.length > 0) {
      // For the owner alone, and never over another file.
      await writeFile(values.secrets, environmentFile(imported.secrets), { mode: 0o600, flag: 'wx' });
      printNote(
        `The values of ${literal.length} variables are in ${values.secrets}: run ". ${values.secrets}" before you apply, then delete it.`,
      );
    }
    const { documents } = imported;
    if (values.json) printJson({ documents, left: imported.left, variables: [...imported.secrets.keys()] });
    else for (const document of documents) process.stdout.write(`---\n${new Document(document).toString({ lineWidth: 0 })}`);
    const open = [...imported.secrets].flatMap(([name, value]) => (value === null || values.secrets === undefined ? [name] : []));
    if (open.length > 0) printNote(`Set these variables before you apply: ${open.join(', ')}`);
    if (imported.left.length > 0) printNote(`Not carried over:\n${imported.left.map((each) => `- ${each}`).join('\n')}`);
    return 0;
  },
};
