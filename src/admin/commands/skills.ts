/** pailou skills test | import | export */
import { lstat, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readZip, writeZip } from '../../extensions/skills/folder/zip.ts';
import { type Command, print, UsageError, printJson, printNote } from './command.ts';
import { answerOf, type GatewayCall, gatewayCall, gatewayOptions, printFailure } from './gateway-call.ts';
import { readFolder, writeFolder, writeNew } from './skill-folder-files.ts';

interface Row {
  readonly case: string;
  readonly model: string;
  readonly passed: boolean;
  readonly fault: string | null;
  readonly tokens: number;
  readonly cost: number | null;
  readonly currency: string | null;
  readonly ms: number;
}

/** A table with aligned columns. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const oneLine = (text: string): string => {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  return flat.length > 160 ? `${flat.slice(0, 160)}…` : flat;
};

interface Values {
  readonly model?: string[] | undefined;
  readonly replace?: boolean | undefined;
  readonly to?: string | undefined;
  readonly json?: boolean | undefined;
}

async function test(gateway: GatewayCall, name: string, { model, json }: Values): Promise<number> {
  const body = JSON.stringify(model === undefined ? {} : { models: model });
  const path = `/api/skills/${encodeURIComponent(name)}/evaluate`;
  const response = await gateway.send('POST', path, { type: 'application/json', bytes: body });
  if (response === null) return 1;
  if (!response.ok) return printFailure(response);
  const answer = await answerOf<{ readonly data: readonly Row[]; readonly failed: number }>(response);
  if (json === true) printJson(answer);
  else {
    const rows = answer.data.map((row) => [
      row.passed ? 'pass' : 'FAIL',
      row.case,
      row.model,
      String(row.tokens),
      row.cost === null ? '?' : `${row.cost.toFixed(4)} ${row.currency ?? ''}`.trim(),
      `${row.ms} ms`,
      oneLine(row.fault ?? ''),
    ]);
    print(tableOf([['', 'case', 'model', 'tokens', 'cost', 'time', ''], ...rows]));
  }
  return answer.failed === 0 ? 0 : 1;
}

/** `from`: a folder with a SKILL.md, or a zip of one. */
async function importFolder(gateway: GatewayCall, from: string, { model, replace, json }: Values): Promise<number> {
  const found = await lstat(from).catch(() => null);
  if (found?.isSymbolicLink() === true) throw new UsageError(`${from} is a link; name the folder or the zip itself.`);
  if (found === null) throw new UsageError(`${from} does not exist.`);
  const place = resolve(from);
  const zip = found.isDirectory() ? await writeZip(basename(place), await readFolder(place)) : await readFile(place);
  const query = new URLSearchParams({ ...(model?.[0] === undefined ? {} : { model: model[0] }), replace: String(replace === true) });
  const response = await gateway.send('POST', `/api/skills/import?${query.toString()}`, {
    type: 'application/zip',
    bytes: new Uint8Array(zip),
  });
  if (response === null) return 1;
  if (!response.ok) return printFailure(response);
  const { name } = await answerOf<{ readonly name: string }>(response);
  if (json === true) printJson({ name });
  else print(`The skill "${name}" was imported: POST /v1/skills/${name}/runs`);
  return 0;
}

/** Writes a folder, or a zip file when `to` ends in .zip. */
async function exportFolder(gateway: GatewayCall, name: string, { to = name, json }: Values): Promise<number> {
  const response = await gateway.send('GET', `/api/skills/${encodeURIComponent(name)}/export`);
  if (response === null) return 1;
  if (!response.ok) return printFailure(response);
  const zip = Buffer.from(await response.arrayBuffer());
  if (to.toLowerCase().endsWith('.zip')) {
    await writeNew(to, zip);
  } else await writeFolder(to, (await readZip(zip)).files);
  if (json === true) printJson({ name, to });
  else printNote(`The skill "${name}" was exported to ${to}.`);
  return 0;
}

const verbs = { test, import: importFolder, export: exportFolder } as const;

export const skillsCommand: Command = {
  async run([verb = '', ...args]) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...gatewayOptions,
        model: { type: 'string', multiple: true },
        replace: { type: 'boolean' },
        to: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const [subject, more] = positionals;
    if (!Object.hasOwn(verbs, verb) || subject === undefined || more !== undefined)
      throw new UsageError('Usage: pailou skills test <name>, pailou skills import <folder>, or pailou skills export <name>');
    return verbs[verb as keyof typeof verbs](gatewayCall(values), subject, values);
  },
};
