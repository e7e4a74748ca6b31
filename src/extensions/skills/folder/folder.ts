/** A skill as a folder, and back: a folder that came in goes out byte for byte; other kinds carry their row in `assets/pailou.json`. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { SkillFile } from '../../../types/skill.ts';
import { GatewayError } from '../../../types/errors.ts';
import { parseSkillMd, writeSkillMd } from './skill-md.ts';
import { mostBytes, mostFiles, refuseFolder, requirePath } from './zip.ts';

export const entryFile = 'SKILL.md';
const rowFile = 'assets/pailou.json';

/** The files of a row of kind `package`, as its options keep them. */
export function filesOf(options: JsonObject): readonly SkillFile[] {
  const files = Array.isArray(options['files']) ? options['files'] : [];
  return files.flatMap((each: Json) =>
    isJsonObject(each) && typeof each['path'] === 'string' && typeof each['base64'] === 'string'
      ? [{ path: each['path'], bytes: Buffer.from(each['base64'], 'base64') }]
      : [],
  );
}

/** `spec` with secrets masked. */
export function folderOf(name: string, spec: JsonObject): readonly SkillFile[] {
  const options = isJsonObject(spec['options']) ? spec['options'] : {};
  if (spec['kind'] === 'package') return filesOf(options);
  const text = (field: string): string => (typeof spec[field] === 'string' ? spec[field] : '');
  const instructions = typeof options['instructions'] === 'string' ? options['instructions'] : '';
  const body =
    instructions === '' ? `\nThis is a Pailou skill of the kind ${text('kind')}; its settings are in ${rowFile}.\n` : `\n${instructions}\n`;
  const { live: _live, ...kept } = spec;
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
    { path: rowFile, bytes: Buffer.from(`${JSON.stringify(kept, null, 2)}\n`) },
  ];
}

export interface ImportedSkill {
  readonly name: string;
  readonly spec: JsonObject;
}

/** The row that a folder makes. `model` for a folder that names none. Throws `invalid_request` naming what is wrong. */
export function skillOfFolder(files: readonly SkillFile[], around: string | null, model: string | null): ImportedSkill {
  if (files.length > mostFiles) throw refuseFolder(`holds more than ${mostFiles} files`);
  for (const { path } of files) requirePath(path);
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > mostBytes) throw refuseFolder(`is larger than ${mostBytes} bytes`);
  const entry = files.find(({ path }) => path === entryFile);
  if (entry === undefined) throw refuseFolder(`has no ${entryFile} at its top`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(entry.bytes);
  } catch {
    throw refuseFolder(`has a ${entryFile} that is no UTF-8 text`);
  }
  const { name, description, metadata } = parseSkillMd(text, around);
  const row = files.find(({ path }) => path === rowFile);
  if (row !== undefined && metadata['pailou.kind'] !== undefined && metadata['pailou.kind'] !== 'package') {
    const spec = parseRow(row.bytes);
    return { name, spec: { ...spec, live: null, ...(model === null ? {} : { model }) } };
  }
  const wanted = model ?? metadata['pailou.model'] ?? metadata['gateway.model'];
  if (wanted === undefined)
    throw new GatewayError('invalid_request', 'model: say with which model the skill works; its folder does not.', { param: 'model' });
  const kept = files.map(({ path, bytes }) => ({ path, base64: bytes.toString('base64') }));
  return { name, spec: { kind: 'package', description, model: wanted, options: { files: kept } } };
}

function parseRow(bytes: Buffer): JsonObject {
  try {
    const row = JSON.parse(bytes.toString('utf8')) as Json;
    if (isJsonObject(row)) return row;
  } catch {
    // Told below.
  }
  throw refuseFolder(`has a ${rowFile} that is no JSON object`);
}
