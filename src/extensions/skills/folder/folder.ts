/** Converts a skill to a folder and back. An imported folder is exported byte for byte. Other kinds store their row in `assets/pailou.json`, without the fields of `SKILL.md`. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { SkillFile } from '../../../types/skill.ts';
import { parseSkillMd, writeSkillMd } from './skill-md.ts';
import { refuseFolder, requirePaths } from './folder-paths.ts';
import { mostBytes, mostFiles } from './zip.ts';

export const entryFile = 'SKILL.md';
const rowFile = 'assets/pailou.json';

/** The files of a row of kind `package`. */
export function filesOf(options: JsonObject): readonly SkillFile[] {
  const files = Array.isArray(options['files']) ? options['files'] : [];
  return files.flatMap((each: Json) =>
    isJsonObject(each) && typeof each['path'] === 'string' && typeof each['base64'] === 'string'
      ? [{ path: each['path'], bytes: Buffer.from(each['base64'], 'base64') }]
      : [],
  );
}

const noInstructions = (kind: string): string => `This is a Pailou skill of the kind ${kind}; its settings are in ${rowFile}.`;

/** `spec` with secrets masked. The fields of SKILL.md are stored there only, so that edits cannot contradict each other. */
export function folderOf(name: string, spec: JsonObject): readonly SkillFile[] {
  const options = isJsonObject(spec['options']) ? spec['options'] : {};
  if (spec['kind'] === 'package') return filesOf(options);
  const text = (field: string): string => (typeof spec[field] === 'string' ? spec[field] : '');
  const instructions = typeof options['instructions'] === 'string' ? options['instructions'] : '';
  const body = `\n${instructions === '' ? noInstructions(text('kind')) : instructions}\n`;
  const { live: _live, description: _description, ...kept } = spec;
  const { instructions: _instructions, ...others } = options;
  return [
    {
      path: entryFile,
      bytes: Buffer.from(
        writeSkillMd({
          name,
          description: text('description'),
          metadata: { 'pailou.kind': text('kind'), 'pailou.model': text('model'), 'pailou.version': text('version') },
          allowedTools: [],
          body,
        }),
      ),
    },
    { path: rowFile, bytes: Buffer.from(`${JSON.stringify(instructions === '' ? kept : { ...kept, options: others }, null, 2)}\n`) },
  ];
}

export interface ImportedSkill {
  readonly name: string;
  readonly spec: JsonObject;
}

/** The body of SKILL.md as instructions; null for none. */
function instructionsIn(text: string, body: string): string | null {
  // Some editors change all line ends.
  const lines = /^\uFEFF?---[ \t]*\r\n/.test(text) ? body.replaceAll('\r\n', '\n') : body;
  const said = lines.replace(/^\n/, '').replace(/\n$/, '');
  return said.trim() === '' || new RegExp(`^${noInstructions('.*')}$`).test(said.trim()) ? null : said;
}

function specOfRow(row: JsonObject, others: readonly SkillFile[], description: string, instructions: string | null): JsonObject {
  const [other] = others;
  const kind = typeof row['kind'] === 'string' ? row['kind'] : 'prompt';
  if (other !== undefined)
    throw refuseFolder(
      `holds ${JSON.stringify(other.path.slice(0, 200))}, which a skill of the kind ${kind.slice(0, 64)} has no place for; to import the folder as a package with all its files, remove pailou.kind from the metadata of ${entryFile}`,
    );
  const options = isJsonObject(row['options']) ? row['options'] : {};
  return { ...row, description, ...(instructions === null ? {} : { options: { ...options, instructions } }), live: null };
}

/** The row for a folder. It has no model when neither the folder nor `model` names one. Throws `invalid_request` naming the fault. */
export function skillOfFolder(files: readonly SkillFile[], rootFolder: string | null, model: string | null): ImportedSkill {
  if (files.length > mostFiles) throw refuseFolder(`holds more than ${mostFiles} files`);
  requirePaths(files.map(({ path }) => path));
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > mostBytes) throw refuseFolder(`is larger than ${mostBytes} bytes`);
  const entry = files.find(({ path }) => path === entryFile);
  if (entry === undefined) throw refuseFolder(`has no ${entryFile} at its top`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(entry.bytes);
  } catch {
    throw refuseFolder(`has a ${entryFile} that is no UTF-8 text`);
  }
  const { name, description, metadata, body } = parseSkillMd(text, rootFolder);
  const row = files.find(({ path }) => path === rowFile);
  if (row !== undefined && metadata['pailou.kind'] !== undefined && metadata['pailou.kind'] !== 'package') {
    const others = files.filter((file) => file !== entry && file !== row);
    const spec = specOfRow(parseRow(row.bytes), others, description, instructionsIn(text, body));
    return { name, spec: { ...spec, ...(model === null ? {} : { model }) } };
  }
  const wanted = model ?? metadata['pailou.model'] ?? metadata['gateway.model'];
  const kept = files.map(({ path, bytes }) => ({ path, base64: bytes.toString('base64') }));
  return { name, spec: { kind: 'package', description, ...(wanted === undefined ? {} : { model: wanted }), options: { files: kept } } };
}

function parseRow(bytes: Buffer): JsonObject {
  try {
    const row = JSON.parse(bytes.toString('utf8')) as Json;
    if (isJsonObject(row)) return row;
  } catch {
    // Reported below.
  }
  throw refuseFolder(`has a ${rowFile} that is no JSON object`);
}
