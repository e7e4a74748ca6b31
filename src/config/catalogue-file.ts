/** Reads the operator's entries for the model catalogue. A fault stops the start and names the line and the field. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { LineCounter, parseDocument } from 'yaml';
import { type OperatorModel, operatorTable } from '../types/known-model.ts';
import { firstZodFault } from '../schema/zod-errors.ts';
import { SettingsError } from './settings.ts';

// Loaded on first use.
const require = createRequire(import.meta.url);
const yaml = (): typeof Yaml => require('yaml') as typeof Yaml;

const refused = (path: string, line: number, why: string): SettingsError =>
  new SettingsError([`PAILOU_CATALOGUE: ${path}, line ${line}: ${why}. See docs/catalogue.md.`]);

/** Throws SettingsError. JSON is valid YAML. */
export function readCatalogueFile(path: string): readonly OperatorModel[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new SettingsError([`PAILOU_CATALOGUE: the file ${path} cannot be read.`]);
  }
  const library = yaml();
  const lines = new library.LineCounter();
  const document = library.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) throw refused(path, lines.linePos(broken.pos[0]).line, `not YAML or JSON: ${broken.message}`);
  const checked = operatorTable.safeParse(document.toJS());
  if (checked.success) return checked.data.models;
  const { param, sentence } = firstZodFault(checked.error.issues);
  throw refused(path, lineOf(checked.error.issues[0]?.path ?? [], document, lines), `${param === '' ? 'the file' : param} ${sentence}`);
}

/** The line of the field, or of its nearest existing parent. */
function lineOf(path: readonly PropertyKey[], document: ReturnType<typeof parseDocument>, lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (yaml().isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
